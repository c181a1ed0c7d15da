/** Asks a server on a public address of this machine, and one that redirects to loopback; prints what came of it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { http } from '../../workers/tools/http/http.ts'
import { attemptOf, runTool } from '../unit/workers/support.ts'

const server = createServer((request, answer) => {
  if (request.url === '/direct') answer.end('public')
  else answer.writeHead(302, { location: `http://127.0.0.1:${port}/direct` }).end()
})
await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
const { port } = server.address() as AddressInfo
const results = []
for (const path of ['/direct', '/away']) {
  const input = { url: `http://93.184.216.34:${port}${path}` }
  const inputJson = JSON.stringify(input)
  results.push(await runTool(http, input, attemptOf({ inputJson, settings: { netPolicy: 'public' } })))
}
server.close()
console.log(JSON.stringify(results))
