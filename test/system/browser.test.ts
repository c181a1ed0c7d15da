/** A real browser: in the hands of another site it must not reach the daemon, by no road; on the daemon's own page it works. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { hasBrowser, startBrowser } from '../support/browser.ts'
import { startDaemon } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { addToken } from '../../src/api/guard/add-token.ts'

const skip = !hasBrowser && 'no chromium here'

const SCRIPT = readFileSync(new URL('../support/evil-page.mjs', import.meta.url))

const graphOf = (id: string): string => JSON.stringify({ tasks: [{ id, type: 'noop' }] })

/** What a page can hold: forms of each kind, frames, scripts and pictures of the daemon. */
const evilPage = (daemon: string): string => `<!doctype html><title>evil</title>
${['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']
  .map(
    (type, at) => `<iframe name="sink${at}"></iframe>
<form method="post" enctype="${type}" target="sink${at}" action="${daemon}/tasks">
<input name='{"tasks":[{"id":"by-form-${at}","type":"noop"}],"x":"' value='"}'></form>`,
  )
  .join('\n')}
<iframe id="framed" src="${daemon}/docs"></iframe>
<img id="seen" src="${daemon}/docs/favicon-32x32.png">
<script src="${daemon}/docs/swagger-ui-bundle.js"></script>`

/** Serves the attacker's page; resolves to its port. */
const servePage = async (t: TestContext, daemon: string): Promise<number> => {
  const server = createServer((request, answer) => {
    if (request.url === '/away') answer.writeHead(307, { location: `${daemon}/tasks` }).end()
    else if (request.url === '/attack.mjs') answer.setHeader('content-type', 'text/javascript').end(SCRIPT)
    else answer.setHeader('content-type', 'text/html').end(evilPage(daemon))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

test('pages of another site, and of a rebound name', { skip, timeout: 240_000 }, async (t) => {
  const daemon = await startDaemon()
  t.after(() => daemon.stop())
  await daemon.submit([{ id: 'kept', type: 'noop' }])
  const { port: daemonPort } = new URL(daemon.url)
  const port = await servePage(t, daemon.url)
  const browser = await startBrowser(t, ['evil.example', 'rebound.example'])
  const bases = [daemon.url, `http://localhost:${daemonPort}`, `http://rebound.example:${daemonPort}`]
  // Of another site, and of this machine, as what a developer runs there.
  for (const host of ['evil.example', 'localhost', '127.0.0.1']) {
    const page = await browser.page()
    await page.goto(`http://${host}:${port}/`)
    const roads = [bases, `http://${daemon.grpcAddress}`].map((road) => JSON.stringify(road))
    const seen = await page.evaluate(`import('/attack.mjs').then(({ attack }) => attack(${roads}))`)
    assert.deepEqual(seen, {}, host)
    assert.ok(page.requests.filter((url) => url.startsWith(daemon.url)).length > 10)
  }
  // As after a rebinding: the page's own name is the daemon's address now.
  for (const path of ['/tasks', '/docs', '/health']) {
    const rebound = await browser.page()
    await rebound.goto(`http://rebound.example:${daemonPort}${path}`)
    assert.match(await rebound.evaluate('document.body.innerText'), /is not this machine/)
    const init = `{ method: 'POST', body: ${JSON.stringify(graphOf('rebound'))} }`
    assert.equal(await rebound.evaluate(`fetch('/tasks', ${init}).then(({ status }) => status)`), 403)
  }
  const { body } = await daemon.request('GET', '/tasks')
  assert.deepEqual(
    body.map(({ id }: { id: string }) => id),
    ['kept'],
  )
})

/** Fills a field as a hand would: React hears of it by the event. */
const FILL = `(field, text) => {
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, text)
  field.dispatchEvent(new Event('input', { bubbles: true }))
}`

for (const withToken of [false, true]) {
  test(`the documentation page works, ${withToken ? 'with' : 'without'} a token`, {
    skip,
    timeout: 240_000,
  }, async (t) => {
    const file = `${await tempDir(t)}/auth.json`
    const token = addToken(file, 'x', ['submit', 'read'])
    const daemon = await startDaemon(withToken ? { env: { EXECGO_AUTH_FILE: file } } : {})
    t.after(() => daemon.stop())
    const page = await (await startBrowser(t)).page()
    await page.goto(`${daemon.url}/docs`)
    await page.until("document.querySelectorAll('.opblock').length > 10")
    assert.match(await page.evaluate('document.body.innerText'), /Submits a graph of tasks/)
    const click = (selector: string): Promise<unknown> =>
      page.until(`(found => found && (found.click(), true))(document.querySelector('${selector}'))`)
    const fill = (selector: string, text: string): Promise<unknown> =>
      page.until(
        `(found => found && ((${FILL})(found, ${JSON.stringify(text)}), true))(document.querySelector('${selector}'))`,
      )
    if (withToken) {
      await click('.auth-wrapper .authorize')
      await fill('.modal-ux input', token)
      await click('.modal-ux .auth-btn-wrapper .authorize')
      await click('.modal-ux .btn-done')
    }
    await click('.opblock-post .opblock-summary-control')
    await click('.opblock-post .try-out__btn')
    await fill('.opblock-post textarea', graphOf('tried'))
    await click('.opblock-post .execute')
    const shown = await page.until("document.querySelector('.live-responses-table tbody')?.innerText")
    assert.match(shown, /^\s*202/)
    const headers = withToken ? { authorization: `Bearer ${token}` } : {}
    assert.equal(
      (await daemon.request('GET', '/tasks/tried?wait=30s', undefined, headers)).body.status,
      'success',
    )
    assert.deepEqual(page.errors, [])
    const elsewhere = page.requests.filter((url) => !url.startsWith(daemon.url) && !url.startsWith('data:'))
    assert.deepEqual(elsewhere, [])
  })
}
