import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseGraph, parseJson, parseMcpCall } from '../../../src/api/schemas.ts'
import type { SubmittedTask } from '../../../src/domain/task.ts'
import { submitted } from '../../support/tasks.ts'

/** The tasks of a body. */
const tasksOf = (body: string): readonly SubmittedTask[] => {
  const json = parseJson(body)
  assert.ok(json.ok)
  const graph = parseGraph(json.value)
  assert.ok(graph.ok, graph.ok ? '' : graph.problem.message)
  return graph.value.tasks
}

const problemOf = (body: string): string => {
  const json = parseJson(body)
  const found = json.ok ? parseGraph(json.value) : json
  assert.ok(!found.ok, 'it should have a problem')
  assert.equal(found.problem.code, 'invalid')
  return found.problem.message
}

describe('parseGraph reads', () => {
  it('every field of a task', () =>
    assert.deepEqual(
      tasksOf(`{"tasks":[{"id":"a","type":"os","params":{"p":[1,{"x":null}]},"depends_on":["b","c"],"retry":2,
        "timeout":3000,"tool_name":"shell","input":{"i":1.5},"annotations":{"team":"x"},
        "priority":9,"run_at":"2026-04-03T18:14:23.805+08:00","delay_ms":7,"allow_failure":true,"run_if":"always"}]}`),
      [
        {
          id: 'a',
          type: 'os',
          paramsJson: '{"p":[1,{"x":null}]}',
          inputJson: '{"i":1.5}',
          annotationsJson: '{"team":"x"}',
          dependsOn: ['b', 'c'],
          retry: 2,
          timeoutMs: 3000,
          toolName: 'shell',
          priority: 9,
          runAtMs: 1_775_211_263_805,
          delayMs: 7,
          allowFailure: true,
          runIf: 'always',
        },
      ],
    ))

  it('what it cannot judge, for the plan to name', () => {
    const [task] = tasksOf('{"tasks":[{"run_at":"soon","run_if":"never"}]}')
    assert.deepEqual([task!.runAtMs, task!.runAtText, task!.runIf], [Number.NaN, 'soon', 'never'])
  })

  it('how the graph is to be taken', () => {
    const value = parseGraph({ tasks: [], on_conflict: 'ignore', durability: 'relaxed' })
    assert.ok(value.ok)
    assert.deepEqual(value.value, { tasks: [], onConflict: 'ignore', durability: 'relaxed' })
    const usual = parseGraph({})
    assert.ok(usual.ok)
    assert.deepEqual(usual.value, { tasks: [], onConflict: 'replace', durability: null })
  })

  const NONE = [{ ...submitted(''), type: '' }]

  it('absent fields as nothing', () => assert.deepEqual(tasksOf('{"tasks":[{}]}'), NONE))

  it('null as absent, in every field', () =>
    assert.deepEqual(
      tasksOf(`{"tasks":[{"id":null,"type":null,"params":null,"depends_on":null,"retry":null,"timeout":null,
        "tool_name":null,"input":null,"annotations":null}]}`),
      NONE,
    ))

  it('no tasks, null tasks and a null body as an empty graph', () => {
    for (const body of ['{}', '{"tasks":null}', '{"tasks":[]}', 'null']) assert.deepEqual(tasksOf(body), [])
  })

  it('an empty object as one, but for annotations, of which nothing is left', () => {
    const [task] = tasksOf('{"tasks":[{"params":{},"input":{},"annotations":{}}]}')
    assert.deepEqual([task!.paramsJson, task!.inputJson, task!.annotationsJson], ['{}', '{}', ''])
  })

  it('past keys that it does not know, of any type', () =>
    assert.deepEqual(
      tasksOf('{"tasks":[{"id":"a","type":"noop","status":7,"extra":[{}]}],"replace":1,"x":null}'),
      [submitted('a')],
    ))

  it('keys of objects that are names of every object, without harm', () => {
    const [task] = tasksOf(
      `{"__proto__":{"tasks":[]},"tasks":[{"__proto__":{"id":"evil","retry":9},"constructor":{"prototype":{"x":1}},
        "id":"a","type":"noop","params":{"__proto__":{"polluted":1},"constructor":2},
        "annotations":{"toString":"x"}}]}`,
    )
    assert.deepEqual(task, {
      ...submitted('a'),
      paramsJson: '{"__proto__":{"polluted":1},"constructor":2}',
      annotationsJson: '{"toString":"x"}',
    })
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })

  // valibot's record leaves these names out.
  it('annotations named "constructor" and "prototype"', () =>
    assert.equal(
      tasksOf('{"tasks":[{"annotations":{"constructor":"a","prototype":"b"}}]}')[0]!.annotationsJson,
      '{"constructor":"a","prototype":"b"}',
    ))

  it('a negative number, which is the graph that is wrong', () =>
    assert.deepEqual(
      tasksOf('{"tasks":[{"retry":-1,"timeout":-5}]}').map((task) => [task.retry, task.timeoutMs]),
      [[-1, -5]],
    ))

  it('numbers in params as far as a double can hold them', () =>
    assert.equal(
      tasksOf('{"tasks":[{"params":{"null":null,"a":[1e308,-1e308,5e-324,1e-999,-0],"s":"null"}}]}')[0]!
        .paramsJson,
      '{"null":null,"a":[1e+308,-1e+308,5e-324,0,0],"s":"null"}',
    ))

  it('100,000 tasks', () =>
    assert.equal(
      tasksOf(JSON.stringify({ tasks: Array.from({ length: 100_000 }, (_, at) => ({ id: `t${at}` })) }))
        .length,
      100_000,
    ))
})

describe('parseGraph names the path and what came', () => {
  const PROBLEMS: readonly (readonly [string, string])[] = [
    ['[]', 'expected an object, got an array'],
    ['"x"', 'expected an object, got "x"'],
    ['7', 'expected an object, got 7'],
    ['true', 'expected an object, got true'],
    ['{"tasks":{}}', 'tasks: expected an array of tasks, got an object'],
    ['{"tasks":"x"}', 'tasks: expected an array of tasks, got "x"'],
    ['{"tasks":[{},1]}', 'tasks[1]: expected an object, got 1'],
    ['{"tasks":[null]}', 'tasks[0]: expected an object, got null'],
    ['{"tasks":[[]]}', 'tasks[0]: expected an object, got an array'],
    ['{"tasks":[{"id":1}]}', 'tasks[0].id: expected a string, got 1'],
    ['{"tasks":[{"type":false}]}', 'tasks[0].type: expected a string, got false'],
    ['{"tasks":[{"params":[]}]}', 'tasks[0].params: expected an object, got an array'],
    ['{"tasks":[{"params":"x"}]}', 'tasks[0].params: expected an object, got "x"'],
    ['{"tasks":[{"depends_on":"a"}]}', 'tasks[0].depends_on: expected an array of strings, got "a"'],
    [
      '{"tasks":[{"depends_on":{"0":"a"}}]}',
      'tasks[0].depends_on: expected an array of strings, got an object',
    ],
    ['{"tasks":[{"depends_on":["a",2]}]}', 'tasks[0].depends_on[1]: expected a string, got 2'],
    ['{"tasks":[{},{},{},{"retry":"1"}]}', 'tasks[3].retry: expected an integer, got "1"'],
    ['{"tasks":[{"retry":1.5}]}', 'tasks[0].retry: expected an integer, got 1.5'],
    ['{"tasks":[{"retry":1e300}]}', 'tasks[0].retry: expected an integer, got 1e+300'],
    ['{"tasks":[{"retry":9007199254740993}]}', 'tasks[0].retry: expected an integer, got 9007199254740992'],
    ['{"tasks":[{},{"retry":1e999}]}', 'tasks[1].retry: expected an integer, got Infinity'],
    ['{"tasks":[{"timeout":-1e999}]}', 'tasks[0].timeout: expected an integer, got -Infinity'],
    ['{"tasks":[{"priority":1e999}]}', 'tasks[0].priority: expected an integer, got Infinity'],
    ['{"tasks":[{"delay_ms":0.5}]}', 'tasks[0].delay_ms: expected an integer, got 0.5'],
    ['{"tasks":[{"params":{"n":1e999}}]}', 'tasks[0].params.n: expected a finite number, got Infinity'],
    [
      '{"tasks":[{"params":{"n":null}},{"input":{"x":null,"a":[null,{"b c":-1e999}]}}]}',
      'tasks[1].input.a[1].b c: expected a finite number, got -Infinity',
    ],
    ['{"tasks":[{"timeout":true}]}', 'tasks[0].timeout: expected an integer, got true'],
    ['{"tasks":[{"timeout":[]}]}', 'tasks[0].timeout: expected an integer, got an array'],
    ['{"tasks":[{"tool_name":{}}]}', 'tasks[0].tool_name: expected a string, got an object'],
    ['{"tasks":[{"input":0}]}', 'tasks[0].input: expected an object, got 0'],
    ['{"durability":"maybe"}', 'durability: expected "sync" or "relaxed", got "maybe"'],
    ['{"on_conflict":1}', 'on_conflict: expected "replace", "reject" or "ignore", got 1'],
    ['{"tasks":[{"allow_failure":1}]}', 'tasks[0].allow_failure: expected true or false, got 1'],
    ['{"tasks":[{"annotations":"x"}]}', 'tasks[0].annotations: expected an object of strings, got "x"'],
    [
      '{"tasks":[{"annotations":["x"]}]}',
      'tasks[0].annotations: expected an object of strings, got an array',
    ],
    ['{"tasks":[{"annotations":{"a b":1}}]}', 'tasks[0].annotations.a b: expected a string, got 1'],
  ]
  for (const [body, problem] of PROBLEMS) {
    it(body, () => assert.equal(problemOf(body), `invalid JSON: ${problem}`))
  }

  it('the first one only', () =>
    assert.equal(
      problemOf('{"tasks":[{"id":"a"},{"id":1,"retry":"x"},{"id":2}]}'),
      'invalid JSON: tasks[1].id: expected a string, got 1',
    ))

  it('a long text by its beginning', () =>
    assert.equal(
      problemOf(`{"tasks":[{"retry":"${'x'.repeat(1000)}"}]}`),
      `invalid JSON: tasks[0].retry: expected an integer, got "${'x'.repeat(39)}…`,
    ))

  it('params that are nested too deep', () => {
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    assert.match(problemOf(`{"tasks":[{"id":"a","type":"noop","params":${deep}}]}`), /^invalid JSON: .*deep/)
  })
})

describe('parseJson', () => {
  it('reads any value', () => {
    for (const value of [null, 1, 'x', [], {}]) {
      assert.deepEqual(parseJson(JSON.stringify(value)), { ok: true, value })
    }
  })

  const PROBLEMS: readonly (readonly [string, RegExp])[] = [
    ['', /^invalid JSON: EOF$/],
    [' \n', /^invalid JSON: EOF$/],
    ['{', /^invalid JSON: .+/],
    ['{"tasks":[', /^invalid JSON: unexpected EOF$/],
    ['{"tasks":["a', /^invalid JSON: unexpected EOF$/],
    ['{"a":1}x', /^invalid JSON: .+/],
    ["{'a':1}", /^invalid JSON: .+/],
    ['{"a":NaN}', /^invalid JSON: .+/],
    ['\ufeff{}', /^invalid JSON: .+/],
    ['hello', /^invalid JSON: .+/],
  ]
  for (const [body, message] of PROBLEMS) {
    it(`says what is wrong with ${JSON.stringify(body)}`, () => {
      const parsed = parseJson(body)
      assert.ok(!parsed.ok)
      assert.equal(parsed.problem.code, 'invalid')
      assert.match(parsed.problem.message, message)
    })
  }
})

describe('the body of POST /mcp/call', () => {
  it('is read, null as absent', () => {
    const full = { id: 'a', tool_name: 'demo.echo', input: { x: 1 }, timeout: 5 }
    assert.deepEqual(parseMcpCall({ ...full, extra: 1 }), {
      ok: true,
      value: { id: 'a', toolName: 'demo.echo', inputJson: '{"x":1}', timeoutMs: 5 },
    })
    const none = { ok: true, value: { id: '', toolName: '', inputJson: '', timeoutMs: 0 } }
    assert.deepEqual(parseMcpCall({}), none)
    assert.deepEqual(parseMcpCall(null), none)
    assert.deepEqual(parseMcpCall({ id: null, tool_name: null, input: null, timeout: -1 }), none)
  })

  const PROBLEMS: readonly (readonly [unknown, string])[] = [
    [[], 'expected an object, got an array'],
    [{ id: 1 }, 'id: expected a string, got 1'],
    [{ tool_name: [] }, 'tool_name: expected a string, got an array'],
    [{ input: 'x' }, 'input: expected an object, got "x"'],
    [{ input: { n: Number.POSITIVE_INFINITY } }, 'input.n: expected a finite number, got Infinity'],
    [{ timeout: 1.5 }, 'timeout: expected an integer, got 1.5'],
    [{ timeout: Number.POSITIVE_INFINITY }, 'timeout: expected an integer, got Infinity'],
  ]
  for (const [value, problem] of PROBLEMS) {
    it(problem, () => {
      const parsed = parseMcpCall(value)
      assert.ok(!parsed.ok)
      assert.equal(parsed.problem.message, `invalid JSON: ${problem}`)
    })
  }

  it('is refused where its input is nested too deep', () => {
    const parsed = parseMcpCall(JSON.parse(`{"input":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_001)}`))
    assert.ok(!parsed.ok)
    assert.match(parsed.problem.message, /^invalid JSON: .*deep/)
  })
})
