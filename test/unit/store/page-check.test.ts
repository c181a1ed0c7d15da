/** The walk over a database's pages, by a database whose pages are damaged one after the other. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openTables, type Tables } from '../../../src/store/lmdb/database.ts'
import { checkFile } from '../../../src/store/lmdb/file-check.ts'
import { HEADER_BYTES, PAGE, treeAt, u64 } from '../../../src/store/lmdb/pages.ts'
import { tempDir } from '../../support/temp-dir.ts'

const PAGE_BYTES = 4096
const META_AT = HEADER_BYTES
const SYNCED_AT = PAGE_BYTES / 2 + HEADER_BYTES
/** Places in a meta record. */
const FREE_TREE = 24
const MAIN_TREE = 72
const TRANSACTION = 128
const BOOT = 136

const value = (seed: number, bytes: number): Buffer => Buffer.alloc(bytes, `${seed} `)

const longKey = (key: number): string => `${key % 10}`.repeat((key * 37) % 900) + key

/** A database that was used: trees of up to four levels, overflow runs, long lists of free pages. */
const usedDatabase = async (t: TestContext): Promise<string> => {
  const path = join(await tempDir(t), 'test.lmdb')
  const tables = openTables(path)
  for (let key = 1; key <= 500; ) {
    tables.root.transactionSync(() => {
      for (let more = 25; more > 0; more--, key++) {
        tables.heads.putSync(key, value(key, 900))
        tables.batches.putSync(key, value(key, key % 5 === 0 ? 16_000 : key % 3 === 0 ? 3000 : 60))
        tables.answers.putSync(longKey(key), key)
        if (key % 4 === 0) tables.batches.removeSync(key / 2)
        if (key % 10 === 0) tables.answers.removeSync(longKey(key - 5))
      }
    })
  }
  tables.root.transactionSync(() => {
    for (let key = 50; key < 450; key++) tables.batches.removeSync(key)
  })
  await tables.meta.put('format', 1)
  await tables.root.flushed
  await tables.root.close()
  return path
}

type Content = Map<string, Buffer>

const contentOf = (tables: Tables): Content => {
  const content: Content = new Map()
  for (const name of ['heads', 'batches'] as const)
    for (const { key, value } of tables[name].getRange({})) content.set(`${name} ${key}`, Buffer.from(value))
  for (const name of ['answers', 'meta'] as const)
    for (const { key, value } of tables[name].getRange({}))
      content.set(`${name} ${key}`, Buffer.from(`${value}`))
  return content
}

const readContent = async (path: string): Promise<Content> => {
  const tables = openTables(path)
  const content = contentOf(tables)
  await tables.root.close()
  return content
}

/** A file with these bytes. */
const fileOf = async (t: TestContext, bytes: Buffer): Promise<string> => {
  const path = join(await tempDir(t), 'test.lmdb')
  writeFileSync(path, bytes)
  return path
}

const refusal = (path: string): string => {
  try {
    checkFile(path)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

const transactionAt = (bytes: Buffer, meta: number): number => u64(bytes, meta + TRANSACTION)

/** Where the meta record of the last transaction is. */
const newestMeta = (bytes: Buffer): number =>
  transactionAt(bytes, META_AT) > transactionAt(bytes, META_AT + PAGE_BYTES) ? META_AT : META_AT + PAGE_BYTES

const pageOf = (bytes: Buffer, number: number): Buffer =>
  bytes.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES)

/** The place of a node's header in its page. */
const nodeAt = (page: Buffer, at: number): number => HEADER_BYTES + page.readUInt16LE(HEADER_BYTES + at * 2)

/** Where the record of a table's tree is in the file. */
const tableRecord = (bytes: Buffer, name: string): number => {
  const root = treeAt(bytes, newestMeta(bytes) + MAIN_TREE).root
  const page = pageOf(bytes, root)
  for (let at = 0; at < page.readUInt16LE(20) / 2; at++) {
    const node = nodeAt(page, at)
    const key = page.subarray(node + 8, node + 8 + page.readUInt16LE(node + 6))
    if (key.toString().startsWith(name)) return root * PAGE_BYTES + node + 8 + key.length
  }
  throw new Error(`no table ${name}`)
}

test('a whole database passes, and so do its copies', async (t) => {
  const path = await usedDatabase(t)
  checkFile(path)
  for (const isCompact of [false, true]) {
    const copy = join(await tempDir(t), 'copy.lmdb')
    const tables = openTables(path)
    await tables.root.backup(copy, isCompact)
    await tables.root.close()
    checkFile(copy)
    assert.deepEqual(await readContent(copy), await readContent(path))
  }
})

test('an absent file passes; one that is no database does not', async (t) => {
  checkFile(join(await tempDir(t), 'absent.lmdb'))
  for (const bytes of [0, 1, 4096, 100_000])
    assert.match(refusal(await fileOf(t, randomBytes(bytes))), /does not begin as a database/, `${bytes}`)
})

test('every page damaged in turn: refused, or nothing needs what was lost', async (t) => {
  const used = await usedDatabase(t)
  const expected = await readContent(used)
  const whole = readFileSync(used)
  const pages = u64(whole, newestMeta(whole) + 120) + 1
  const damages: Record<string, (number: number) => Buffer> = {
    zeros: () => Buffer.alloc(PAGE_BYTES),
    noise: () => randomBytes(PAGE_BYTES),
    another: (number) => pageOf(whole, (number + 1) % pages),
  }
  for (const [what, damage] of Object.entries(damages)) {
    const unneeded: number[] = []
    const path = await fileOf(t, whole)
    const file = openSync(path, 'r+')
    for (let number = 0; number < pages; number++) {
      writeSync(file, damage(number), 0, PAGE_BYTES, number * PAGE_BYTES)
      const said = refusal(path)
      writeSync(file, pageOf(whole, number), 0, PAGE_BYTES, number * PAGE_BYTES)
      if (said === '') unneeded.push(number)
      else assert.match(said, /^the file is damaged: /)
    }
    closeSync(file)
    t.diagnostic(`${what}: ${pages} pages, ${unneeded.length} not needed`)
    assert.ok(unneeded.length < pages * 0.8, `${unneeded.length} of ${pages}`)

    // All of those at once: LMDB reads and writes, and only what lies in later pages of an overflow run is lost.
    const bytes = Buffer.from(whole)
    for (const number of unneeded) damage(number).copy(bytes, number * PAGE_BYTES)
    writeFileSync(path, bytes)
    checkFile(path)
    const tables = openTables(path)
    const found = contentOf(tables)
    assert.deepEqual([...found.keys()], [...expected.keys()])
    for (const [key, wanted] of expected) {
      const first = Math.min(wanted.length, PAGE_BYTES - HEADER_BYTES)
      assert.equal(found.get(key)!.length, wanted.length, key)
      assert.ok(found.get(key)!.subarray(0, first).equals(wanted.subarray(0, first)), key)
    }
    for (let key = 1; key < 600; key += 2) {
      await tables.batches.put(key, value(key, (key * 13) % 9000))
      if (key % 5 === 0) await tables.heads.remove(key)
    }
    await tables.root.close()
    checkFile(path)
  }
})

test('a file that was cut off: refused, or nothing needs what was lost', async (t) => {
  const used = await usedDatabase(t)
  const expected = await readContent(used)
  const whole = readFileSync(used)
  const path = await fileOf(t, whole)
  let bytes = whole.length
  for (; refusal(path) === ''; truncateSync(path, bytes)) bytes -= PAGE_BYTES / 2
  assert.match(refusal(path), new RegExp(`it has ${bytes} bytes, page \\d+ ends at \\d+`))
  for (let less = bytes; less > PAGE_BYTES * 2; less -= PAGE_BYTES) {
    truncateSync(path, less)
    assert.match(refusal(path), /it has \d+ bytes, page \d+ ends at \d+/)
  }
  const shortest = await fileOf(t, whole.subarray(0, bytes + PAGE_BYTES / 2))
  assert.deepEqual(await readContent(shortest), expected)
})

test('what no page tells by itself: refused by what the others say', async (t) => {
  const whole = readFileSync(await usedDatabase(t))
  const meta = newestMeta(whole)
  const heads = treeAt(whole, tableRecord(whole, 'heads'))
  const root = heads.root * PAGE_BYTES
  assert.equal(whole.readUInt16LE(root + 18), PAGE.branch)
  const [first, second] = [0, 1].map((at) => root + nodeAt(pageOf(whole, heads.root), at)) as [number, number]
  const refused = async (expected: RegExp, change: (bytes: Buffer) => void): Promise<void> => {
    const bytes = Buffer.from(whole)
    change(bytes)
    assert.match(refusal(await fileOf(t, bytes)), expected)
  }
  await refused(/page \d+ is needed twice/, (bytes) => bytes.copy(bytes, second, first, first + 6))
  await refused(/page \d+ is needed twice/, (bytes) => bytes.writeUInt32LE(heads.root, second))
  await refused(/there is no page \d+/, (bytes) => bytes.writeUInt32LE(1_000_000, second))
  await refused(/there is no page 1/, (bytes) => bytes.writeUInt32LE(1, second))
  await refused(/keys out of order/, (bytes) => bytes.writeUInt8(255, second + 8))
  await refused(/table heads has 500 entries of 499/, (bytes) =>
    bytes.writeUInt32LE(499, tableRecord(bytes, 'heads') + 32),
  )
  await refused(/table heads has a root/, (bytes) => bytes.writeUInt16LE(0, tableRecord(bytes, 'heads') + 6))
  await refused(/is not the page that its tree needs/, (bytes) =>
    bytes.writeUInt16LE(heads.depth + 1, tableRecord(bytes, 'heads') + 6),
  )
  await refused(/table of tables has \d+ entries of 3/, (bytes) =>
    bytes.writeUInt32LE(3, meta + MAIN_TREE + 32),
  )
  await refused(/page \d+ is of a later transaction/, (bytes) => bytes.writeUInt32LE(1_000_000, root + 8))
  await refused(/there is no page \d+/, (bytes) => bytes.writeUInt32LE(heads.root - 1, meta + 120))
  const leaf = whole.readUInt32LE(first) * PAGE_BYTES
  assert.equal(whole.readUInt16LE(leaf + 18), PAGE.leaf)
  const node = leaf + nodeAt(pageOf(whole, leaf / PAGE_BYTES), 0)
  await refused(/impossible bounds/, (bytes) => bytes.writeUInt16LE(5000, leaf + 20))
  await refused(/a node outside of it/, (bytes) => bytes.writeUInt16LE(4090, leaf + HEADER_BYTES))
  await refused(/a node longer than it|gaps/, (bytes) => bytes.writeUInt32LE(4000, node))
  await refused(/gaps between its nodes/, (bytes) => bytes.writeUInt16LE(1, node + 6))
  await refused(/a node of no known kind/, (bytes) => bytes.writeUInt16LE(4, node + 4))
})

test('a page that is needed and listed as free is refused: it would be written over', async (t) => {
  const whole = readFileSync(await usedDatabase(t))
  const free = treeAt(whole, newestMeta(whole) + FREE_TREE)
  const heads = treeAt(whole, tableRecord(whole, 'heads'))
  const changed = { here: 0, elsewhere: 0 }
  // The first number of each list, by a walk down to the leaves.
  const visit = async (number: number, level: number): Promise<void> => {
    const page = pageOf(whole, number)
    for (let at = 0; at < page.readUInt16LE(20) / 2; at++) {
      const node = nodeAt(page, at)
      if (level < free.depth) await visit(page.readUInt32LE(node), level + 1)
      else {
        const isElsewhere = page.readUInt16LE(node + 4) === 1
        const list = isElsewhere
          ? page.readUInt32LE(node + 16) * PAGE_BYTES + HEADER_BYTES
          : number * PAGE_BYTES + node + 16
        for (let entry = 1; entry <= u64(whole, list); entry++) {
          if (whole.readBigInt64LE(list + entry * 8) <= 0n) continue
          const bytes = Buffer.from(whole)
          bytes.writeBigInt64LE(BigInt(heads.root), list + entry * 8)
          assert.match(refusal(await fileOf(t, bytes)), /needed and listed as free/)
          changed[isElsewhere ? 'elsewhere' : 'here']++
          break
        }
      }
    }
  }
  await visit(free.root, 1)
  assert.ok(changed.here > 0 && changed.elsewhere > 0, JSON.stringify(changed))
})

test('after a power cut the last synced transaction counts, whatever became of the one after', async (t) => {
  const path = await usedDatabase(t)
  const before = await readContent(path)
  const tables = openTables(path)
  await tables.batches.put(5000, value(5000, 100))
  await tables.root.flushed
  await tables.root.close()
  const bytes = readFileSync(path)
  const newest = newestMeta(bytes)
  const older = newest === META_AT ? META_AT + PAGE_BYTES : META_AT
  // The sync of the last one had not come, and its pages are lost.
  bytes.copy(bytes, SYNCED_AT + FREE_TREE, older + FREE_TREE, older + BOOT)
  bytes.writeUInt16LE(bytes.readUInt16LE(SYNCED_AT + FREE_TREE + 4) & ~0x1000, SYNCED_AT + FREE_TREE + 4)
  assert.notEqual(bytes.readUInt16LE(newest + FREE_TREE + 4) & 0x1000, 0)
  pageOf(bytes, treeAt(bytes, newest + MAIN_TREE).root).fill(0)
  // The machine still runs: LMDB goes on from the last one.
  if (process.platform === 'linux') assert.match(refusal(await fileOf(t, bytes)), /damaged: page \d+ is not/)
  for (const meta of [META_AT, SYNCED_AT, META_AT + PAGE_BYTES]) bytes.writeBigInt64LE(12_345n, meta + BOOT)
  const cut = await fileOf(t, bytes)
  checkFile(cut)
  assert.deepEqual(await readContent(cut), before)
})
