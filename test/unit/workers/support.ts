/** What the tests of the workers share: an attempt to run a tool under, and processes to look after. */
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { JsonObject } from '../../../src/domain/json.ts'
import type { WorkerSettings } from '../../../src/pool/messages.ts'
import { Attempt } from '../../../workers/attempt.ts'
import { PidTable } from '../../../workers/process/pid-table.ts'
import type { Tool, ToolResult } from '../../../workers/tools/tool.ts'

export const SETTINGS: WorkerSettings = {
  shellPolicy: 'allow-list',
  toolModules: [],
  outputLimitBytes: 1024 * 1024,
  httpBodyLimitBytes: 1024 * 1024,
  fileReadLimitBytes: 16 * 1024 * 1024,
}

export interface AttemptOptions {
  readonly taskId?: string
  readonly toolName?: string
  readonly inputJson?: string
  readonly settings?: Partial<WorkerSettings>
  readonly places?: Int32Array
}

export const attemptOf = (options: AttemptOptions = {}): Attempt =>
  new Attempt(
    {
      ref: 1,
      taskId: options.taskId ?? 'a task',
      graphId: 'g-7',
      isInstant: false,
      category: 'os',
      toolName: options.toolName ?? '',
      inputJson: options.inputJson ?? '{}',
      attempt: 3,
      handleId: '',
    },
    {
      settings: { ...SETTINGS, ...options.settings },
      pids: new PidTable(options.places ?? new Int32Array(new SharedArrayBuffer(64))),
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
