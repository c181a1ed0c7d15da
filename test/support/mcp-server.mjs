/**
 * An MCP server for tests, of the official package: `node mcp-server.mjs stdio` or `… http [port]`, which prints its port.
 * What the environment may hold: NAME, NOTES (a file to which it writes what happens to it), DEAF (it does not end by
 * itself, nor by SIGTERM), OLD (it ends when it is asked anything before `initialize`), NOISE (so many lines on stderr).
 */
import { spawn } from 'node:child_process'
import { appendFileSync, closeSync } from 'node:fs'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Server, createMcpHandler } from '@modelcontextprotocol/server'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'

const { NAME = 'test', NOTES, DEAF, OLD, NOISE = '0' } = process.env

const note = (what) => {
  if (NOTES !== undefined) appendFileSync(NOTES, `${JSON.stringify(what)}\n`)
}

const text = (said) => ({ content: [{ type: 'text', text: said }] })

/** From then on it has more tools than anybody can hold, in pages that are small enough. */
let hasGrown = false
const grownPage = (page) => ({
  tools: Array.from({ length: 10 }, (_, tool) => ({
    name: `t${page}-${tool}`,
    inputSchema: {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`p${page}-${tool}-${at}`, {}])),
    },
  })),
  nextCursor: String(page + 1),
})

const forEver = () => new Promise(() => setInterval(() => {}, 1000))

const tools = {
  echo: ({ message }) => text(`${NAME}: ${message}`),
  pid: () => text(String(process.pid)),
  env: () => text(JSON.stringify(process.env)),
  meta: (_, ctx) => text(JSON.stringify(ctx.mcpReq._meta ?? {})),
  fail: ({ message }) => ({ ...text(message), isError: true }),
  crash: ({ code }) => process.exit(code ?? 3),
  grow: () => {
    hasGrown = true
    return text('grown')
  },
  // It runs on, and can say nothing more, or hear nothing more.
  mute: () => {
    closeSync(1)
    return forEver()
  },
  deafen: () => {
    closeSync(0)
    void forEver()
    return text('deaf now')
  },
  garble: (_, ctx) => {
    process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id: ctx.mcpReq.id, result: 5 })}\n`)
    return forEver()
  },
  big: ({ bytes }) => text('x'.repeat(bytes)),
  objects: ({ count }) => ({
    ...text(''),
    structuredContent: { objects: Array.from({ length: count }, () => ({})) },
  }),
  structured: ({ fill = 0 }) => ({
    ...text('{"answer":42}'),
    structuredContent: { answer: 42, fill: 'x'.repeat(fill) },
  }),
  child: () => {
    const child = spawn('sleep', ['300'], { stdio: 'ignore' })
    return text(String(child.pid))
  },
  count: async ({ to }, ctx) => {
    for (let progress = 1; progress <= to; progress++) {
      const params = {
        progressToken: ctx.mcpReq._meta?.progressToken,
        progress,
        total: to,
        message: `step ${progress}`,
      }
      await ctx.mcpReq.notify({ method: 'notifications/progress', params })
    }
    return text('counted')
  },
  wait: async ({ ms }, ctx) => {
    note({ waiting: process.pid })
    try {
      await delay(ms, undefined, { signal: ctx.mcpReq.signal })
    } catch {
      note({ cancelled: String(ctx.mcpReq.signal.reason) })
    }
    return text('waited')
  },
}

const newServer = () => {
  const server = new Server({ name: NAME, version: '1.0.0' }, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', ({ params }) =>
    hasGrown
      ? grownPage(Number(params?.cursor ?? 0))
      : {
          tools: Object.keys(tools)
            .concat(NAME === 'test' ? [] : [`only-${NAME}`])
            .map((name) => ({ name, description: `does ${name}`, inputSchema: { type: 'object' } })),
        },
  )
  server.setRequestHandler('tools/call', ({ params }, ctx) => {
    const tool = params.name === `only-${NAME}` ? () => text(NAME) : tools[params.name]
    return tool(params.arguments ?? {}, ctx)
  })
  return server
}

const serveHttp = () => {
  const handler = createMcpHandler(newServer)
  const http = createServer(async (incoming, outgoing) => {
    note({ method: incoming.method, authorization: incoming.headers.authorization })
    const hasBody = !['GET', 'HEAD'].includes(incoming.method)
    const away = new AbortController()
    outgoing.once('close', () => away.abort())
    const answer = await handler.fetch(
      new Request(`http://localhost${incoming.url}`, {
        method: incoming.method,
        headers: incoming.headers,
        signal: away.signal,
        ...(hasBody ? { body: Readable.toWeb(incoming), duplex: 'half' } : {}),
      }),
    )
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
    if (answer.body === null) outgoing.end()
    else
      Readable.fromWeb(answer.body)
        .on('error', () => {})
        .pipe(outgoing)
  })
  http.listen(Number(process.argv[3] ?? 0), '127.0.0.1', () =>
    process.stdout.write(`${http.address().port}\n`),
  )
}

if (DEAF !== undefined) {
  process.on('SIGTERM', () => note('SIGTERM'))
  setInterval(() => {}, 1000)
}
note({ started: process.pid })
for (let line = 0; line < Number(NOISE); line++) process.stderr.write(`noise ${line}\n`)
if (process.argv[2] === 'http') serveHttp()
else if (OLD === undefined) serveStdio(newServer)
else {
  process.stdin.once('data', (chunk) => {
    if (!String(chunk).includes('"initialize"')) process.exit(1)
  })
  await newServer().connect(new StdioServerTransport())
}
