import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, describe, it } from 'node:test'
import fc from 'fast-check'
import { type Graph, newGraph } from '../../../../src/domain/graph-record.ts'
import { openTables, type Tables, transact } from '../../../../src/store/lmdb/database.ts'
import { putEntry } from '../../../../src/store/lmdb/entries.ts'
import { graphsIn, graphWith, removeGraphs, writeGraphs } from '../../../../src/store/lmdb/graph-records.ts'
import { RecordBuffer } from '../../../../src/store/lmdb/record-buffer.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const tablesOf = async (t: TestContext): Promise<Tables> => {
  const tables = openTables(join(await tempDir(t), 'execgo.lmdb'))
  t.after(() => tables.root.close())
  return tables
}

const overGraph = (key: number, size: number): Graph => {
  const graph = newGraph(key, size, 1_775_211_263_805 + key, key % 2 === 0)
  const failed = key % 3 === 0 ? 1 : 0
  Object.assign(graph.counts, { success: size - failed, failed, bad: failed })
  graph.unfinished = 0
  graph.finishedMs = graph.createdMs + size
  return graph
}

/** Writes them as one group of commits does. */
const write = async (tables: Tables, graphs: readonly Graph[]): Promise<void> => {
  const records = new RecordBuffer()
  records.begin()
  writeGraphs(records, graphs, new Map(graphs.map((graph) => [graph.key, graph.counts])))
  const { entries } = records.end()
  await transact(tables, () => {
    for (const entry of entries) putEntry(tables, entry)
  }).committed
}

const remove = (tables: Tables, keys: readonly number[]): Promise<unknown> =>
  transact(tables, () => removeGraphs(tables, keys)).committed

const all = (tables: Tables): Graph[] =>
  [...tables.graphs.getRange({})].flatMap(({ key, value }) => graphsIn(key, value))

describe('the records of graphs', () => {
  it('share an entry where they follow one another, and are found by their keys', async (t) => {
    const tables = await tablesOf(t)
    const graphs = Array.from({ length: 200 }, (_, at) => overGraph(1 + at * 2, 2))
    await write(tables, graphs.toReversed())
    assert.equal([...tables.graphs.getKeys({})].length, 4)
    assert.deepEqual(all(tables), graphs)
    for (const graph of graphs) assert.deepEqual(graphWith(tables, graph.key), graph)
    for (const key of [0, 2, 200, 401]) assert.equal(graphWith(tables, key), null)
  })

  it('are parted where some of them go', async (t) => {
    const tables = await tablesOf(t)
    const graphs = Array.from({ length: 10 }, (_, at) => overGraph(1 + at, 1))
    await write(tables, graphs)
    await remove(tables, [1, 4, 5, 10])
    assert.deepEqual([...tables.graphs.getKeys({})], [2, 6])
    await remove(tables, [3, 11, 0])
    assert.deepEqual([...tables.graphs.getKeys({})], [2, 6])
    await write(tables, [graphs[3]!])
    assert.deepEqual(
      all(tables).map(({ key }) => key),
      [2, 4, 6, 7, 8, 9],
    )
  })

  it('are those of a database of an older format too', async (t) => {
    const tables = await tablesOf(t)
    const { key, createdMs, size, isRelaxed, finishedMs, counts } = overGraph(7, 3)
    await tables.graphs.put(key, { createdMs, size, isRelaxed, finishedMs, counts })
    await write(tables, [overGraph(10, 1)])
    assert.deepEqual(graphWith(tables, 7), overGraph(7, 3))
    assert.equal(graphWith(tables, 8), null)
    await remove(tables, [7])
    assert.deepEqual(all(tables), [overGraph(10, 1)])
  })

  it('are what was written and not removed, whatever came when', async (t) => {
    const steps = fc.array(
      fc.record({
        sizes: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 70 }),
        later: fc.integer({ min: 0, max: 3 }),
        gone: fc.array(fc.nat(300), { maxLength: 20 }),
      }),
      { maxLength: 6 },
    )
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const tables = await tablesOf(t)
        const expected = new Map<number, Graph>()
        let waiting: Graph[] = []
        let key = 1
        for (const { sizes, later, gone } of given) {
          const graphs = [...waiting]
          waiting = []
          for (const [at, size] of sizes.entries()) {
            const graph = overGraph(key, size)
            key += size
            // Some end with a later group.
            if (later > 0 && at % (later + 1) === 0) waiting.push(graph)
            else graphs.push(graph)
          }
          await write(tables, graphs)
          for (const graph of graphs) expected.set(graph.key, graph)
          await remove(tables, gone)
          for (const each of gone) expected.delete(each)
          const left = [...expected.values()].sort((a, b) => a.key - b.key)
          assert.deepEqual(all(tables), left)
          for (let each = 0; each <= key; each++)
            assert.deepEqual(graphWith(tables, each), expected.get(each) ?? null)
        }
      }),
      { numRuns: 30 },
    )
  })
})
