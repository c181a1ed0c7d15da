import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Schema, type Tool, defineTool } from '../../../../workers/tools/define-tool.ts'
import { done } from '../../../../workers/tools/tool.ts'

const WRONG = { issues: [{ message: 'no number', path: ['list', { key: 0 }] }] }

const toolOf = (checked: unknown): Tool =>
  defineTool({
    name: 'mine',
    params: {
      '~standard': { version: 1, vendor: 'test', validate: () => checked },
    } as unknown as Schema<{ n: number }>,
    run: ({ n }) => done({ n }),
  })

test('params are checked at once, later, and by a promise of a library’s own', async () => {
  const refused = { ok: false, message: 'params: list.0: no number', code: 'invalid_input', isFinal: true }
  // biome-ignore lint/suspicious/noThenProperty: this is what it is about
  const later = (value: unknown) => ({ then: (resolve: (value: unknown) => void) => resolve(value) })
  for (const given of [WRONG, Promise.resolve(WRONG), later(WRONG)])
    assert.deepEqual(await toolOf(given).run({}, {} as never), refused)
  const right = { value: { n: 1 } }
  for (const given of [right, Promise.resolve(right), later(right)])
    assert.deepEqual(await toolOf(given).run({}, {} as never), done({ n: 1 }))
})
