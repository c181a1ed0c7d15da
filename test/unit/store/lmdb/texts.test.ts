import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTextOf } from '../../../../src/store/lmdb/texts.ts'

const IDS = [
  'a',
  'a-1',
  '',
  'ü',
  '😀',
  'a"',
  'a","type":"b',
  '\\',
  'a\\n',
  'a\n',
  '\\u0001',
  '\u0001',
  '\ud83d',
  '\\ud83d',
]

const textOf = (id: string): string => JSON.stringify({ id, type: 'noop', name: 'a' })

test('a text is that of its id and of no other, whatever is in the id', () => {
  for (const id of IDS) {
    for (const other of IDS)
      assert.equal(isTextOf(textOf(id), other), id === other, JSON.stringify([id, other]))
    assert.equal(isTextOf(null, id), false)
    assert.equal(isTextOf(` ${textOf(id).slice(1)}`, id), false)
    assert.equal(isTextOf(textOf(id).slice(0, 6), id), false)
  }
})
