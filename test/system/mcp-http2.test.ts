/** `/mcp` with TLS, over HTTP/2: streams are ended there, not connections. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type ClientHttp2Stream, connect, constants } from 'node:http2'
import { test } from 'node:test'
import { certificateIn } from '../support/certificate.ts'
import { script } from '../support/commands.ts'
import { startDaemon } from '../support/daemon.ts'
import { message } from '../support/mcp-client.ts'
import { tempDir } from '../support/temp-dir.ts'

test('answers, progress and a cancel', async (t) => {
  const { cert, key } = certificateIn(await tempDir(t))
  const ca = await readFile(cert)
  const daemon = await startDaemon({ env: { EXECGO_TLS_CERT: cert, EXECGO_TLS_KEY: key } })
  t.after(() => daemon.stop())
  const session = connect(daemon.url.replace('http://', 'https://'), { ca })
  t.after(() => session.destroy())
  const send = ({ headers, body }: ReturnType<typeof message>): ClientHttp2Stream =>
    session
      .request({ ':method': 'POST', ':path': '/mcp', ...headers })
      .setEncoding('utf8')
      .end(body)
  const textOf = async (stream: ClientHttp2Stream): Promise<string> => {
    let text = ''
    for await (const piece of stream) text += piece
    return text
  }
  const run = (id: string, command: string) =>
    message('modern', 'tools/call', {
      name: 'run_graph',
      arguments: { tasks: [{ id, ...script(command) }] },
      _meta: { progressToken: 1 },
    })
  assert.match(await textOf(send(message('modern', 'tools/list', {}))), /"run_graph"/)
  assert.match(await textOf(send(run('a', 'sleep 1.5'))), /"progressToken":1,.*"done":true/s)

  const hung = send(run('b', 'sleep 600'))
  await once(hung, 'data')
  hung.close(constants.NGHTTP2_CANCEL)
  const wait = message('modern', 'tools/call', { name: 'wait', arguments: { task_ids: ['b'] } })
  assert.match(await textOf(send(wait)), /"run_status":"cancelled"/)
  assert.equal(daemon.stderr, '')
})
