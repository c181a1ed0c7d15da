/** What the tests of the workers share: an attempt to run a tool under, and processes to look after. */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { JsonObject } from '../../../src/domain/json.ts'
import { DESCRIPTORS_PER_COMMAND, type Holdings, type WorkerSettings } from '../../../src/pool/messages.ts'
import { Attempt } from '../../../workers/attempt.ts'
import { HoldingsTable } from '../../../workers/process/holdings.ts'
import { chooseStarter } from '../../../workers/process/choose-starter.ts'
import { NodeStarter } from '../../../workers/process/node-starter.ts'
import type { ProcessStarter } from '../../../workers/process/starter.ts'
import type { Tool, ToolResult } from '../../../workers/tools/tool.ts'

export const SETTINGS: WorkerSettings = {
  shellPolicy: 'allow-list',
  spawn: 'auto',
  toolModules: [],
  outputLimitBytes: 1024 * 1024,
  httpBodyLimitBytes: 1024 * 1024,
  fileReadLimitBytes: 16 * 1024 * 1024,
  fileRoot: '',
  netPolicy: 'any',
  hasMcpServers: false,
}

export interface AttemptOptions {
  readonly taskId?: string
  readonly traceparent?: string
  readonly toolName?: string
  readonly inputJson?: string
  readonly settings?: Partial<WorkerSettings>
  /** By node:child_process without one. */
  readonly starter?: ProcessStarter
}

/** Room for what so many commands hold. */
export const holdingsFor = (commands: number): Holdings => ({
  pids: new Int32Array(new SharedArrayBuffer(4 * commands)),
  descriptors: new Int32Array(new SharedArrayBuffer(4 * DESCRIPTORS_PER_COMMAND * commands)),
})

const nodeStarter = new NodeStarter(new HoldingsTable(holdingsFor(16)))

/** Starts commands in one way, or not at all. */
export const openStarter = async (way: ProcessStarter['way'], holdings: Holdings): Promise<ProcessStarter> =>
  (await chooseStarter(way, new HoldingsTable(holdings))).starter

export const attemptOf = (options: AttemptOptions = {}): Attempt =>
  new Attempt(
    {
      ref: 1,
      taskId: options.taskId ?? 'a task',
      graphKey: 7,
      category: 'os',
      toolName: options.toolName ?? '',
      inputJson: options.inputJson ?? '{}',
      attempt: 3,
      handleId: '',
      traceparent: options.traceparent ?? '',
    },
    {
      settings: { ...SETTINGS, ...options.settings },
      starter: options.starter ?? nodeStarter,
      mcp: null,
      postProgress: () => {},
    },
  )

/** Runs `tool` once with this input. */
export const runTool = async (
  tool: Tool,
  input: JsonObject,
  attempt: Attempt = attemptOf({ inputJson: JSON.stringify(input) }),
): Promise<ToolResult> => tool.run(input, attempt)

/** The message of a failure; of a success, its output as text: an assertion then shows it. */
export const messageOf = (result: ToolResult): string =>
  result.ok ? `succeeded: ${JSON.stringify(result.output)}` : result.message

/** Asks again until `question` answers something, at most 10 s. */
export const eventually = async <T>(question: () => T | null | undefined | false): Promise<T> => {
  for (const endMs = performance.now() + 10_000; performance.now() < endMs; await delay(5)) {
    const answer = question()
    if (answer !== null && answer !== undefined && answer !== false) return answer
  }
  throw new Error(`still not so after 10 s: ${question}`)
}

/** The pid that a script wrote into a file, once it is there. */
export const pidIn = (path: string): Promise<number> =>
  eventually(() => {
    try {
      return Number(/^(\d+)\n/.exec(readFileSync(path, 'utf8'))?.[1] ?? Number.NaN) || null
    } catch {
      return null
    }
  })
