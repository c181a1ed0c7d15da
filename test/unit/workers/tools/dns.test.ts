import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dns } from '../../../../workers/tools/dns.ts'
import { attemptOf, messageOf, runTool } from '../support.ts'

test('gives the addresses of this machine', async () => {
  for (const record of [undefined, 'ip', ' IP ']) {
    const result = await runTool(
      dns,
      record === undefined ? { name: 'localhost' } : { name: 'localhost', record },
    )
    assert.ok(result.ok)
    const { addrs, ...rest } = result.output as { addrs: string[] }
    assert.deepEqual(rest, { name: 'localhost', record: 'ip' })
    assert.ok(addrs.includes('127.0.0.1') || addrs.includes('::1'))
  }
  assert.deepEqual(await runTool(dns, { name: '192.0.2.7' }), {
    ok: true,
    output: { addrs: ['192.0.2.7'], name: '192.0.2.7', record: 'ip' },
  })
})

test('says why it found nothing', async () => {
  assert.match(
    messageOf(await runTool(dns, { name: 'no-such.invalid' })),
    /^lookup host: lookup no-such\.invalid: \S/,
  )
  for (const record of ['txt', 'cname']) {
    assert.equal(
      messageOf(await runTool(dns, { name: '127.0.0.1', record })),
      `lookup ${record}: lookup 127.0.0.1: no such host`,
    )
  }
  assert.match(messageOf(await runTool(dns, { name: 'a\0b' })), /^lookup host: lookup a\0b: /)
})

test('an abort ends it', async () => {
  for (const [record, reason, text] of [
    ['ip', 'context deadline exceeded', 'host: lookup no-such.invalid: i/o timeout'],
    ['txt', 'context canceled', 'txt: lookup no-such.invalid: operation was canceled'],
  ] as const) {
    const attempt = attemptOf()
    const asking = runTool(dns, { name: 'no-such.invalid', record }, attempt)
    attempt.abort(5000, reason)
    assert.equal(messageOf(await asking), `lookup ${text}`)
  }
})

test('refuses what it cannot ask', async () => {
  assert.equal(messageOf(await runTool(dns, { name: ' ' })), 'name is required')
  assert.equal(
    messageOf(await runTool(dns, { name: 'x', record: 'MX' })),
    'record must be one of: ip, txt, cname (got "MX")',
  )
  assert.equal(
    messageOf(await runTool(dns, { name: 'x', record: 'constructor' })),
    'record must be one of: ip, txt, cname (got "constructor")',
  )
  assert.equal(
    messageOf(await runTool(dns, { name: [] })),
    'parse dns params: json: cannot unmarshal array into Go struct field DNSParams.name of type string',
  )
})
