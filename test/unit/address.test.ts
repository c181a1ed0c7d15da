import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatAddress, parseAddress } from '../../src/address.ts'

describe('parseAddress', () => {
  const ADDRESSES: readonly (readonly [string, string, number])[] = [
    [':8080', '', 8080],
    [':0', '', 0],
    ['localhost:80', 'localhost', 80],
    ['127.0.0.1:65535', '127.0.0.1', 65_535],
    ['my-host.example.com:1', 'my-host.example.com', 1],
    ['[::1]:8080', '::1', 8080],
    ['[::]:0', '::', 0],
    ['[fe80::1%eth0]:8080', 'fe80::1%eth0', 8080],
    ['[::ffff:127.0.0.1]:8080', '::ffff:127.0.0.1', 8080],
  ]
  for (const [text, host, port] of ADDRESSES) {
    it(`reads ${text}`, () => assert.deepEqual(parseAddress(text), { host, port }))
  }

  const OTHERS = [
    '',
    ':',
    '8080',
    'localhost',
    'localhost:',
    'localhost:http',
    ':-1',
    ':65536',
    ':100000',
    ':8080 ',
    ' :8080',
    'a b:80',
    '::1:80',
    '[::1]',
    '[::1:80',
    '[::1]80',
    'http://localhost:80',
    'localhost:80/',
    ':80\n',
    ':８０',
  ]
  for (const text of OTHERS) {
    it(`does not read ${JSON.stringify(text)}`, () => assert.equal(parseAddress(text), null))
  }
})

describe('formatAddress', () => {
  it('puts an IPv6 address in brackets', () => {
    assert.equal(formatAddress('::1', 80), '[::1]:80')
    assert.equal(formatAddress('127.0.0.1', 80), '127.0.0.1:80')
    assert.equal(formatAddress('', 80), ':80')
  })

  it('writes what parseAddress reads', () => {
    for (const text of [':8080', 'localhost:80', '[::1]:443']) {
      const { host, port } = parseAddress(text)!
      assert.equal(formatAddress(host, port), text)
    }
  })
})
