/**
 * Runs where this machine has a public address and is its own name server: asks `http` and `tcp` for what they must not
 * reach under EXECGO_NET_POLICY=public, and prints what came of it.
 */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'
import { type AddressInfo, isIPv4 } from 'node:net'
import type { Tool } from '../../workers/tools/tool.ts'
import { http } from '../../workers/tools/http/http.ts'
import { tcp } from '../../workers/tools/tcp.ts'
import { attemptOf, runTool } from '../unit/workers/support.ts'

const PUBLIC = '93.184.216.34'

const NAMES: Readonly<Record<string, readonly string[]>> = {
  'public.example': [PUBLIC],
  'loopback.example': ['127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'nat64.example': ['64:ff9b::7f00:1'],
  'both.example': ['127.0.0.1', PUBLIC],
}
/** Means one thing to who asks first, and another to who asks next. */
const TURNING = 'turning.example'

const TYPE_A = 1
const TYPE_AAAA = 28

const bytesOf = (address: string): Buffer => {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16))
  const [before, after] = [words(head), words(tail)]
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after]
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]))
}

let turns = 0

/** The answer to a query of one question, uncompressed. */
const answerTo = (query: Buffer): Buffer => {
  const labels: string[] = []
  let at = 12
  while (query[at] !== 0) {
    labels.push(query.toString('ascii', at + 1, at + 1 + query[at]!))
    at += 1 + query[at]!
  }
  const [name, type] = [labels.join('.').toLowerCase(), query.readUInt16BE(at + 1)]
  if (name === TURNING && type === TYPE_A) turns++
  const known = name === TURNING ? [turns % 2 === 1 ? PUBLIC : '127.0.0.1'] : (NAMES[name] ?? [])
  const wanted = known.filter((address) => (isIPv4(address) ? TYPE_A : TYPE_AAAA) === type).map(bytesOf)
  const head = Buffer.from([query[0]!, query[1]!, 0x81, 0x80, 0, 1, 0, wanted.length, 0, 0, 0, 0])
  // A pointer to the question's name, the type, the class IN, no time to live.
  const records = wanted.map((bytes) =>
    Buffer.concat([Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]), bytes]),
  )
  return Buffer.concat([head, query.subarray(12, at + 5), ...records])
}

const names = createSocket('udp4')
names.on('message', (query, from) => names.send(answerTo(query), from.port, from.address))
await new Promise<void>((resolve) => names.bind(53, '127.0.0.1', resolve))

let inside = 0
const server = createServer((request, answer) => {
  if (request.url === '/away') answer.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end()
  else if (request.url === '/by-name')
    answer.writeHead(307, { location: `http://loopback.example:${port}/` }).end()
  else answer.end('public')
})
server.on('connection', ({ localAddress }) => {
  if (localAddress !== PUBLIC && localAddress !== `::ffff:${PUBLIC}`) inside++
})
await new Promise<void>((resolve) => server.listen(0, '::', resolve))
const { port } = server.address() as AddressInfo

const ask = async (tool: Tool, input: { readonly [field: string]: string }): Promise<string> => {
  const inputJson = JSON.stringify(input)
  const result = await runTool(tool, input, attemptOf({ inputJson, settings: { netPolicy: 'public' } }))
  return result.ok ? 'reached' : `${result.code}: ${result.message}`
}

const told: Record<string, string> = {}
for (const url of [
  `http://${PUBLIC}:${port}/`,
  `http://${PUBLIC}:${port}/away`,
  `http://${PUBLIC}:${port}/by-name`,
])
  told[url.replace(`:${port}`, '')] = await ask(http, { url })
const hosts = [...Object.keys(NAMES), '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '[::ffff:7f00:1]']
for (const host of hosts) {
  told[`http ${host}`] = await ask(http, { url: `http://${host}:${port}/` })
  told[`tcp ${host}`] = await ask(tcp, { address: `${host}:${port}` })
}
/** Whether it was reached at all, and how often it was refused. */
let reached = 0
for (let round = 0; round < 20; round++) {
  const tool = round % 4 < 2 ? http : tcp
  const host = `${TURNING}:${port}`
  const result = await ask(tool, tool === http ? { url: `http://${host}/` } : { address: host })
  if (result === 'reached') reached++
}
names.close()
server.close()
console.log(JSON.stringify({ told, turning: { reached, turns }, inside }))
