/** MCP servers for the tests, and a daemon that calls them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type DaemonOptions, SOON_MS, type TestDaemon, root, spawnDaemon } from './daemon.ts'
import { tempDir } from './temp-dir.ts'

const SERVER = join(root, 'test', 'support', 'mcp-server.mjs')
/** Of another author: the reference server of the protocol. */
export const EVERYTHING = join(
  root,
  'node_modules',
  '@modelcontextprotocol',
  'server-everything',
  'dist',
  'index.js',
)

/** The test server as a process of the daemon. */
export const stdioServer = (env: Readonly<Record<string, string>> = {}): object => ({
  command: process.execPath,
  args: [SERVER, 'stdio'],
  env,
})

export interface HttpServerProcess {
  readonly child: ChildProcess
  readonly port: number
  readonly url: string
}

/** The test server on a port, and killed at the end. */
export const startHttpServer = async (
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
  port = 0,
): Promise<HttpServerProcess> => {
  const child = spawn(process.execPath, [SERVER, 'http', String(port)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [said] = (await once(child.stdout!, 'data')) as [Buffer]
  const bound = Number(said)
  return { child, port: bound, url: `http://127.0.0.1:${bound}/mcp` }
}

/** A daemon with these servers, stopped at the end. */
export const daemonWith = async (
  t: TestContext,
  mcpServers: Readonly<Record<string, object>>,
  options: DaemonOptions = {},
): Promise<TestDaemon> => {
  const config = join(await tempDir(t), 'mcp.json')
  await writeFile(config, JSON.stringify({ mcpServers }))
  const daemon = await spawnDaemon({ ...options, env: { ...options.env, EXECGO_MCP_CONFIG: config } })
  t.after(() => daemon.stop())
  return daemon.listening()
}

let calls = 0

/** Calls a tool, and resolves to the task once it is over. */
export const call = async (
  daemon: TestDaemon,
  tool: string,
  input: object = {},
  more: object = {},
): Promise<any> => {
  const id = `call-${++calls}`
  await daemon.submit([{ id, type: 'mcp', tool_name: tool, input, ...more }])
  return daemon.settled(id)
}

/** The text of a task that was answered with one. */
export const textOf = (task: any): string => {
  if (task.status !== 'success') throw new Error(`it failed: ${JSON.stringify(task)}`)
  return task.result.content[0].text
}

/** What a server wrote into its notes. */
export const notesIn = (path: string): any[] => {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  } catch {
    return []
  }
}

export const isAlive = (pid: number): boolean => {
  try {
    // A zombie waits for whoever takes it in: it does nothing any more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Resolves to an answer that is none of null, undefined and false. */
export const soon = async <T>(what: string, question: () => T | Promise<T>): Promise<NonNullable<T>> => {
  for (const end = Date.now() + SOON_MS; Date.now() < end; ) {
    const answer = await question()
    if (answer !== null && answer !== undefined && answer !== false) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`it never came: ${what}`)
}
