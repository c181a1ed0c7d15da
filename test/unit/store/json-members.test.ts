import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { membersOf } from '../../../src/store/json-members.ts'

/** `bytes` in pieces that end at `cuts`. */
async function* inPieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    yield bytes.subarray(start, cut)
    start = cut
  }
  yield bytes.subarray(start)
}

const read = async (
  text: string | Uint8Array,
  cuts: readonly number[] = [],
): Promise<[string, unknown][]> => {
  const members: [string, unknown][] = []
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  for await (const member of membersOf(inPieces(bytes, cuts), 'state.json')) members.push(member)
  return members
}

const TRICKY = `{
  "a" : {"text": "}{][,\\":\\\\", "list": [1, [2, {"x": "]"}], {}], "n": -1.5e3},
  "\\"b\\\\" : "plain", "任务😀":{"é":"\u2028"},"null":null,"":[],"last":{"deep":{"deeper":{"list":[[[]]]}}}
}
`

describe('membersOf', () => {
  const EMPTY = ['{}', ' { } ', '\n{\n\n}\n']
  for (const text of EMPTY) {
    it(`finds nothing in ${JSON.stringify(text)}`, async () => assert.deepEqual(await read(text), []))
  }

  it('finds what JSON.parse finds', async () =>
    assert.deepEqual(await read(TRICKY), Object.entries(JSON.parse(TRICKY) as object)))

  it('wherever the text is cut in two', async () => {
    const bytes = Buffer.from(TRICKY)
    const whole = Object.entries(JSON.parse(TRICKY) as object)
    for (let cut = 0; cut <= bytes.length; cut++)
      assert.deepEqual(await read(bytes, [cut]), whole, `cut at ${cut}`)
  })

  it('one byte at a time', async () => {
    const bytes = Buffer.from(TRICKY)
    assert.deepEqual(await read(bytes, [...bytes.keys()]), Object.entries(JSON.parse(TRICKY) as object))
  })

  it('any object of values, in any pieces, with or without white space', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 8 }),
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.nat(2000), { maxLength: 40 }),
        async (object, indent, cuts) => {
          const text = JSON.stringify(object, null, indent)
          const bytes = Buffer.from(text)
          const found = await read(
            bytes,
            cuts.map((cut) => cut % (bytes.length + 1)),
          )
          // What was parsed once is compared: -0 is 0 in JSON.
          const again = JSON.parse(text) as Record<string, unknown>
          assert.deepEqual(
            found,
            Object.keys(again).map((key) => [key, again[key]]),
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  it('names that every object has', async () => {
    const text = '{"__proto__":{"a":1},"constructor":{},"toString":{"b":2},"7":{}}'
    const found = await read(text)
    assert.deepEqual(found[0], ['__proto__', { a: 1 }])
    assert.deepEqual(
      found.map(([name]) => name),
      ['__proto__', 'constructor', 'toString', '7'],
    )
  })

  it('members in the order of the text, a name that comes twice too', async () =>
    assert.deepEqual(await read('{"2":1,"1":2,"2":3}'), [
      ['2', 1],
      ['1', 2],
      ['2', 3],
    ]))

  it('has one member at a time in its hands', async () => {
    let given = 0
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{')
      for (let at = 0; at < 100; at++) {
        given++
        yield Buffer.from(`${at === 0 ? '' : ','}"t${at}":{"at":${at}}`)
      }
      yield Buffer.from('}')
    }
    let found = 0
    for await (const [name] of membersOf(source(), 'state.json')) {
      assert.equal(name, `t${found}`)
      found++
      assert.ok(given - found <= 1, `${given} pieces were read for ${found} members`)
    }
    assert.equal(found, 100)
  })
})

describe('membersOf says what is wrong with', () => {
  const DAMAGED: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /the file ends too early at byte 0\b/],
    ['white space', ' \n ', /the file ends too early at byte 3\b/],
    ['a list', '[]', /expected one JSON object at byte 0\b/],
    ['a text', '"x"', /expected one JSON object at byte 0\b/],
    ['no JSON', '  hello', /expected one JSON object at byte 2\b/],
    ['a byte order mark', '\ufeff{}', /expected one JSON object at byte 0\b/],
    ['two objects', '{"a":{}} {"b":{}}', /expected one JSON object at byte 9\b/],
    ['something behind it', '{"a":{}}x', /expected one JSON object at byte 8\b/],
    ['a file that was cut off in a member', '{"a":{"b":1', /the file ends too early at byte 11\b/],
    ['a file that was cut off in a text', '{"a":"b}', /the file ends too early at byte 8\b/],
    ['a file that was cut off between members', '{"a":{},', /the file ends too early at byte 8\b/],
    ['a value that is none', '{"a":{},"b":nope}', /is damaged: .*JSON.* at byte 16\b/s],
    ['a member without a name', '{{}}', /is damaged: .*JSON/],
    ['a member without a value', '{"a"}', /is damaged: .*JSON/],
    ['two values', '{"a":{}{}}', /is damaged: .*JSON/],
    ['a bracket that was not closed', '{"a":[1},"b":{}}', /is damaged: .*(JSON|array)/],
    ['a bracket that was not opened', '{"a":1]}', /is damaged/],
    ['a bracket in the place of the last brace', '{"a":1]', /is damaged/],
    ['a bracket between two objects', '{"a":{}]{"b":{}}', /is damaged/],
    ['zeroes, as a crash of the machine leaves them', `{"a":{}${'\0'.repeat(16)}`, /is damaged/],
  ]
  for (const [what, text, message] of DAMAGED) {
    it(what, async () => {
      const byteByByte = [...Buffer.from(text).keys()]
      for (const cuts of [[], byteByByte]) {
        await assert.rejects(read(text, cuts), (error: Error) => {
          assert.match(error.message, message)
          assert.match(error.message, /^state\.json is damaged: .* at byte \d+\. Restore it from a backup/s)
          return true
        })
      }
    })
  }

  it('the end of any file that was cut off', async () => {
    const bytes = Buffer.from(TRICKY.trim())
    for (let end = 0; end < bytes.length; end++) {
      await assert.rejects(
        read(bytes.subarray(0, end)),
        /^Error: state\.json is damaged/,
        `cut off at ${end}`,
      )
    }
  })
})
