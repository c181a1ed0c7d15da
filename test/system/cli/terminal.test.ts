/** What the commands show to people: tables of 80 columns, colours, and nothing that their terminal would obey. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import { type Ended, hasTerminals, cli, inTerminal, startInTerminal } from '../../support/cli.ts'
import { type TestDaemon, startDaemon } from '../../support/daemon.ts'
import { tempDir } from '../../support/temp-dir.ts'

const LONG = `a-task-with-an-id-that-is-${'very-'.repeat(20)}long`
const WIDE = '構建-容器镜像'
const EVIL = 'evil\u001b[2J\u001b]0;title\u0007\nnext'

describe('in a terminal', { skip: hasTerminals ? false : 'script is missing' }, () => {
  let daemon: TestDaemon
  let graphId: string
  before(async () => {
    daemon = await startDaemon()
    const { body } = await daemon.request('POST', '/tasks', {
      tasks: [
        { id: 'fetch', type: 'shell', params: { script: 'printf "one\\ntwo\\n\\033[31mred\\n"' } },
        { id: LONG, type: 'noop', depends_on: ['fail'] },
        { id: 'fail', type: 'shell', params: { script: 'echo why >&2; exit 3' }, retry: 1 },
        { id: WIDE, type: 'noop', annotations: { who: EVIL } },
        { id: EVIL, type: 'noop' },
      ],
    })
    graphId = body.graph_id
    for (const id of body.task_ids) await daemon.settled(id)
  })
  after(() => daemon.stop())

  const look = async (words: string, env: Record<string, string> = { NO_COLOR: '1' }): Promise<Ended> =>
    inTerminal(`$EXECGO ${words}`, { env: { EXECGO_URL: daemon.url, ...env } })

  /** Its lines, all of which fit. */
  const linesOf = async (words: string): Promise<string[]> => {
    const { stdout } = await look(words)
    const lines = stdout.trimEnd().split('\n')
    for (const line of lines) {
      assert.equal(stripVTControlCharacters(line), line, words)
      assert.ok(stringWidth(line) <= 80, `${words}: ${line}`)
      assert.ok(!line.includes('\u0007'))
    }
    return lines
  }

  test('60 columns are enough, for tables and for help', async () => {
    for (const words of ['list', 'graph', 'run --help']) {
      const { stdout } = await inTerminal(`stty cols 60; $EXECGO ${words}`, {
        env: { EXECGO_URL: daemon.url, NO_COLOR: '1' },
      })
      // What help has below the options is written for 80.
      const [lines] = stdout.split('\nExamples:')
      for (const line of lines!.split('\n')) assert.ok(stringWidth(line.trimEnd()) <= 60, `${words}: ${line}`)
    }
  })

  test('tables fit, align wide characters, and cut what is too long', async () => {
    const lines = await linesOf('list')
    assert.match(lines[0]!, /^ID +STATUS +TOOL +GRAPH +AGE +TOOK$/)
    assert.equal(lines.length, 6)
    const at = stringWidth(lines[0]!.slice(0, lines[0]!.indexOf('STATUS')))
    for (const line of lines.slice(1)) {
      let before = ''
      for (const character of line) if (stringWidth(before) < at) before += character
      assert.match(line.slice(before.length), /^(success|failed|skipped) /, line)
    }
    assert.ok(lines.some((line) => /^a-task-with-.*… +skipped/.test(line)))
    assert.ok(lines.some((line) => line.startsWith(`${WIDE} `)))
    assert.ok(lines.some((line) => line.startsWith('evil next ')))
  })

  test('every view fits', async () => {
    for (const words of ['get fetch fail', `get ${LONG} ${WIDE}`, `why ${LONG}`, `graph ${graphId}`, 'graph'])
      await linesOf(words)
    for (const words of [
      'events',
      'health',
      `wait --graph ${graphId} 2>/dev/null`,
      `wait fetch ${LONG} 2>/dev/null`,
    ])
      await linesOf(words)
    const fetch = await linesOf('get fetch')
    assert.ok(fetch.includes('  stdout: |'))
    assert.deepEqual(
      fetch.filter((line) => /^ +(one|two|red)$/.test(line)).map((line) => line.trim()),
      ['one', 'two', 'red'],
    )
    const why = await linesOf(`why ${LONG}`)
    assert.equal(why.at(-1), 'execgo get fail shows where it began.')
  })

  test('colours are for terminals, NO_COLOR and FORCE_COLOR decide', async () => {
    const hasColours = (text: string): boolean => text.includes('\u001b[3')
    assert.ok(hasColours((await look('list', {})).stdout))
    assert.ok(!hasColours((await look('list', { NO_COLOR: '1' })).stdout))
    assert.ok(!hasColours((await look('list', { TERM: 'dumb' })).stdout))
    const env = { EXECGO_URL: daemon.url }
    assert.ok(!hasColours((await cli(['list', '-o', 'table'], { env })).stdout))
    assert.ok(hasColours((await cli(['list', '-o', 'table'], { env: { ...env, FORCE_COLOR: '1' } })).stdout))
  })

  test('without a terminal nothing is cut, and JSON is the default', async () => {
    const env = { EXECGO_URL: daemon.url }
    assert.ok((await cli(['list', '-o', 'table'], { env })).stdout.includes(LONG))
    assert.equal(JSON.parse((await cli(['list'], { env })).stdout).length, 5)
    assert.equal(JSON.parse((await look('get fetch -o json')).stdout).id, 'fetch')
  })

  test('validate shows the line, and what a terminal would obey is taken out', async (t) => {
    const file = join(await tempDir(t), 'graph.yaml')
    await writeFile(file, "tasks:\n  - {id: 'a\u001b]0;title\u0007', type: nop}\n")
    const { code, stdout } = await inTerminal(`$EXECGO validate ${file}; exit $?`)
    assert.equal(code, 2)
    assert.ok(!stdout.includes('\u0007') && !stdout.includes('\u001b'), JSON.stringify(stdout))
    assert.match(stdout, / {4} 2 \| {3}- \{id: 'a.*', type: nop\}\n/)
  })

  test('a pipe that is closed early is no error', async () => {
    const { code, stdout } = await inTerminal('bash -c "set -o pipefail; $EXECGO list | head -n 1"', {
      env: { EXECGO_URL: daemon.url },
    })
    assert.deepEqual([code, stdout], [0, '[\n'])
  })

  test('a wait tells how far it is; Ctrl+C ends it, and the graph goes on', async () => {
    const { body } = await daemon.request('POST', '/tasks', {
      tasks: [{ id: 'goes-on', type: 'sleep', params: { duration_ms: 600_000 } }],
    })
    const waiter = startInTerminal(`$EXECGO wait --graph ${body.graph_id}`, {
      env: { EXECGO_URL: daemon.url, NO_COLOR: '1' },
    })
    await waiter.says(/waiting for g-\d+, [\dms.]+: 1 running/)
    waiter.child.stdin!.write('\u0003')
    const { code, stdout } = await waiter.ended
    assert.equal(code, 130)
    assert.match(stdout, /execgo: g-\d+ goes on; execgo wait --graph g-\d+, or execgo cancel --graph/)
    assert.equal((await daemon.get('goes-on')).status, 'running')
    await daemon.request('POST', '/tasks/goes-on/cancel')
  })
})
