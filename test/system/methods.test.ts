/** Every method that Node reads, and what a route says to those that it does not take. */
import assert from 'node:assert/strict'
import { METHODS, request } from 'node:http'
import { after, before, test } from 'node:test'
import { type TestDaemon, startDaemon } from '../support/daemon.ts'
import { type RawAnswer, answerTo } from '../support/raw-answers.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await startDaemon()
})

after(() => daemon?.stop())

/** fetch() sends no method but the usual ones, and reads dots in a path itself. */
const ask = (method: string, path: string): Promise<RawAnswer> => {
  const { hostname, port } = new URL(daemon.url)
  return answerTo(request({ hostname, port, path, method }).end())
}

const ROUTES: readonly (readonly [path: string, allow: string])[] = [
  ['/tasks', 'POST, GET, HEAD'],
  ['/tasks/a', 'GET, DELETE, HEAD'],
  ['/tasks/wait', 'GET, DELETE, POST, HEAD'],
  ['/tasks/a%2Fb/cancel', 'POST'],
  ['/graphs/a/retry', 'POST'],
  ['/health', 'GET, HEAD'],
]

for (const [path, allow] of ROUTES) {
  test(`${path} takes ${allow} and refuses all others`, async () => {
    for (const method of METHODS) {
      // CONNECT is not about a path.
      if (method === 'CONNECT') continue
      const answer = await ask(method, path)
      if (allow.split(', ').includes(method)) {
        assert.notEqual(answer.status, 405, method)
        continue
      }
      assert.deepEqual([answer.status, answer.headers.allow], [405, allow], method)
      const error = `method ${method} is not allowed here (allowed: ${allow})`
      assert.equal(answer.text, method === 'HEAD' ? '' : JSON.stringify({ error }))
    }
  })
}

test('an id may be what means another folder in a path', async () => {
  await daemon.submit(['.', '..', '../a', '%2e'].map((id) => ({ id, type: 'noop' })))
  for (const path of ['%2E', '%2e%2E', '%2e%2e%2Fa', '%252e']) {
    const answer = await ask('GET', `/tasks/${path}`)
    assert.equal(answer.status, 200, path)
    assert.equal(JSON.parse(answer.text).id, decodeURIComponent(path))
  }
})

test('a request line with the whole URL, as for a proxy, finds the same', async () => {
  await daemon.submit([{ id: 'a/.b', type: 'noop' }])
  await daemon.settled('a/.b')
  const { hostname, port } = new URL(daemon.url)
  const answerOf = async (path: string): Promise<[status: number, text: string]> => {
    const { status, text } = await answerTo(request({ hostname, port, path: `${daemon.url}${path}` }).end())
    return [status, text]
  }
  for (const path of ['/tasks/a%2F%2Eb', '/tasks/a%2F%2Eb?wait=1s']) {
    const [status, found] = await answerOf(path)
    assert.equal(status, 200, path)
    assert.equal(JSON.parse(found).id, 'a/.b')
  }
  assert.deepEqual(await answerOf('/tasks/none'), [404, '{"error":"task not found: none"}'])
  assert.deepEqual(await answerOf('?limit=1'), [404, '{"error":"no such route: GET /"}'])
})
