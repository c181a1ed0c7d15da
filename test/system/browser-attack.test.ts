/** A real browser in the hands of another site's page: it must not reach the daemon, by no road. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'

const hasBrowser = spawnSync('chromium', ['--version']).status === 0

/** Tries what a page can, and shows what came of it as the page's text. */
const attack = (daemonPort: string): string => `<!doctype html><title>evil</title><pre id="told">…</pre>
<iframe name="sink"></iframe>
<form id="form" method="post" enctype="text/plain" target="sink" action="http://127.0.0.1:${daemonPort}/tasks">
<input name='{"tasks":[{"id":"by-form","type":"noop"}],"x":"' value='"}'></form>
<script>
const task = (id) => JSON.stringify({ tasks: [{ id, type: 'noop' }] })
const tried = async (name, url, init) => {
  try { const answer = await fetch(url, init); return name + '=' + answer.type + ':' + answer.status } catch { return name + '=blocked' }
}
document.getElementById('form').submit()
Promise.all([
  tried('read', 'http://127.0.0.1:${daemonPort}/tasks'),
  tried('post', 'http://127.0.0.1:${daemonPort}/tasks', { method: 'POST', mode: 'no-cors', body: task('by-fetch') }),
  tried('rebound-read', 'http://rebound.example:${daemonPort}/tasks'),
  tried('rebound-post', 'http://rebound.example:${daemonPort}/tasks', { method: 'POST', mode: 'no-cors', body: task('by-rebinding') }),
]).then((told) => { document.getElementById('told').textContent = told.join(' ') })
</script>`

test('pages of another site, and of a rebound name', { skip: !hasBrowser }, async (t) => {
  const daemon = await startDaemon()
  const { port: daemonPort } = new URL(daemon.url)
  const server = createServer((_, answer) =>
    answer.setHeader('content-type', 'text/html').end(attack(daemonPort)),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await daemon.stop()
  })
  const profile = await tempDir(t)
  const visit = async (url: string): Promise<string> => {
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`]
    const rules = '--host-resolver-rules=MAP evil.example 127.0.0.1, MAP rebound.example 127.0.0.1'
    const args = [...flags, rules, '--virtual-time-budget=5000', '--dump-dom', url]
    return (await promisify(execFile)('chromium', args, { timeout: 60_000 })).stdout
  }
  const { port } = server.address() as AddressInfo
  const seen = await visit(`http://evil.example:${port}/`)
  assert.match(seen, /read=blocked post=\S+ rebound-read=blocked rebound-post=\S+</)
  // As after a rebinding: the page's own name is the daemon's address now.
  assert.match(await visit(`http://rebound.example:${daemonPort}/tasks`), /is not this machine/)
  assert.deepEqual((await daemon.request('GET', '/tasks')).body, [])
  // The browser did come: on its own, it is let in.
  assert.match(await visit(`${daemon.url}/health`), /"status":"ok"/)
})
