/**
 * A thread's session: assignments in, outcomes out.
 *
 * A batch is begun in order and at once. A tool that returns a value rather than a promise is over right there, and
 * the outcomes of all such go out in one report at the end of the batch. What ends later is gathered until the end
 * of that turn of the event loop: a thousand timers that fire together make one report, and a lone outcome waits
 * for nothing.
 *
 * ```
 * run ─► begin each ─┬─ value ───────────────► ended ─┬─ end of the batch ─► report
 *                    └─ promise ─► running ─► ended ──┴─ end of the turn ──► report
 * abort ─► ack, signal; no end within the grace and a second ─► ended as `aborted`
 * ```
 *
 * An error that a tool leaves behind in a callback of its own is not caught here: nobody could say which attempts
 * it broke. It ends the thread, and the main thread reports all that ran on it as lost.
 */
import type { MessagePort } from 'node:worker_threads'
import { isJsonObject, type JsonObject } from '../src/domain/json.ts'
import type { Assignment, FromWorker, Outcome, SessionStart, ToWorker } from '../src/pool/messages.ts'
import { assignmentsIn, outcomeRows } from '../src/pool/rows.ts'
import { Attempt, type Surroundings } from './attempt.ts'
import { McpCalls } from './mcp/calls.ts'
import type { Choice } from './process/choose-starter.ts'
import type { ProcessStarter } from './process/starter.ts'
import type { ToolRegistry } from './tools/registry.ts'
import { refuse, type ToolResult } from './tools/tool.ts'

/** How much longer than its grace an aborted tool may take. */
const PATIENCE_MS = 1000

const NO_INPUT: JsonObject = Object.freeze({})

const parseInput = (inputJson: string): JsonObject => {
  if (inputJson === '' || inputJson === '{}') return NO_INPUT
  const input: unknown = JSON.parse(inputJson)
  return isJsonObject(input) ? input : NO_INPUT
}

const broken = (error: unknown): ToolResult => ({
  ok: false,
  message: error instanceof Error ? error.message : String(error),
  code: 'internal',
  isFinal: false,
})

/** JSON text of what a tool gave, `''` for nothing. */
const toJson = (value: unknown): string => (value === undefined ? '' : (JSON.stringify(value) ?? ''))

const outcomeOf = (attempt: Attempt, result: ToolResult): Outcome => {
  if (typeof result.ok !== 'boolean') throw new TypeError('the tool returned no result')
  // Before the clock is read: writing a large output belongs to the attempt.
  const outputJson = toJson(result.output)
  const detailsJson = toJson(result.details)
  return {
    ref: attempt.assignment.ref,
    status: result.ok ? 'success' : 'failed',
    outputJson,
    detailsJson,
    startedMs: attempt.startedMs,
    finishedMs: Date.now(),
    ranMs: attempt.ranMs,
    message: result.ok ? '' : result.message,
    code: result.ok ? 'unknown' : (result.code ?? 'external_failure'),
    retryable: false,
    isFinal: result.ok ? false : result.isFinal,
  }
}

/** Of what the tool returned a failure's output and details count, and what it may say of where it was stopped. */
const abortedOutcome = (attempt: Attempt, result: ToolResult): Outcome => ({
  ref: attempt.assignment.ref,
  status: 'aborted',
  outputJson: result?.ok === false ? toJson(result.output) : '',
  detailsJson: result?.ok === false ? toJson(result.details) : '',
  startedMs: attempt.startedMs,
  finishedMs: Date.now(),
  ranMs: attempt.ranMs,
  message: !result?.ok && result?.code === 'cancelled' ? result.message : '',
  code: 'cancelled',
  retryable: false,
  isFinal: false,
})

export class Session {
  readonly #port: MessagePort
  readonly #tools: ToolRegistry
  readonly #starter: ProcessStarter
  readonly #mcp: McpCalls | null
  readonly #ready: FromWorker
  readonly #surroundings: Surroundings
  readonly #running = new Map<number, Attempt>()
  #outcomes: Outcome[] = []
  #isFlushPlanned = false
  /** Called when a report left nothing running. */
  #onIdle: (() => void) | null = null

  constructor({ port, settings }: SessionStart, tools: ToolRegistry, { starter, reason }: Choice) {
    this.#port = port
    this.#tools = tools
    this.#starter = starter
    this.#ready = { type: 'ready', spawn: { way: starter.way, reason } }
    this.#mcp = settings.hasMcpServers ? new McpCalls(() => this.#post({ type: 'mcp' })) : null
    this.#surroundings = {
      settings,
      starter,
      mcp: this.#mcp,
      postProgress: (ref, message) => {
        this.#post({ type: 'progress', ref, atMs: Date.now(), message })
      },
    }
  }

  /** Works until it is told `close`. What still runs then is killed and reported first. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#port.on('message', (message: ToWorker) => {
        if (message.type === 'close') this.#close().then(resolve, reject)
        else this.#receive(message)
      })
      this.#post(this.#ready)
    })
  }

  #receive(message: Exclude<ToWorker, { type: 'close' }>): void {
    switch (message.type) {
      case 'run':
        for (const assignment of assignmentsIn(message.rows)) this.#begin(assignment)
        this.#flush()
        return
      case 'abort':
        this.#post({ type: 'ack', ref: message.ref })
        this.#abort(message.ref, message.graceMs, message.reason)
        return
      case 'inherit':
        this.#starter.inherit(message.holdings)
        return
      case 'mcp':
        this.#mcp?.receive(message.port)
        return
    }
  }

  #begin(assignment: Assignment): void {
    const attempt = new Attempt(assignment, this.#surroundings)
    const result = this.#start(attempt)
    if (!(result instanceof Promise)) {
      this.#end(attempt, result)
      return
    }
    this.#running.set(assignment.ref, attempt)
    result
      .catch(broken)
      .then((value) => this.#endLater(attempt, value))
      .catch((error: unknown) => this.#endLater(attempt, broken(error)))
  }

  #start(attempt: Attempt): ToolResult | Promise<ToolResult> {
    const { category, toolName, inputJson } = attempt.assignment
    const tool = this.#tools.find(category, toolName)
    if (typeof tool === 'string') return refuse(tool)
    try {
      return tool.run(parseInput(inputJson), attempt)
    } catch (error) {
      return broken(error)
    }
  }

  #abort(ref: number, graceMs: number, reason: string): void {
    const attempt = this.#running.get(ref)
    if (attempt === undefined) return
    attempt.abort(graceMs, reason)
    if (attempt.patience !== null) clearTimeout(attempt.patience)
    attempt.patience = setTimeout(() => this.#endLater(attempt, broken('aborted')), graceMs + PATIENCE_MS)
  }

  /** Notes the outcome of an attempt that was running; for one that is over already it does nothing. */
  #endLater(attempt: Attempt, result: ToolResult): void {
    if (attempt.isOver) return
    this.#end(attempt, result)
    if (this.#isFlushPlanned) return
    this.#isFlushPlanned = true
    setImmediate(() => {
      this.#isFlushPlanned = false
      this.#flush()
    })
  }

  #end(attempt: Attempt, result: ToolResult): void {
    this.#running.delete(attempt.assignment.ref)
    attempt.isOver = true
    if (attempt.patience !== null) clearTimeout(attempt.patience)
    const toOutcome = attempt.isAborted ? abortedOutcome : outcomeOf
    try {
      this.#outcomes.push(toOutcome(attempt, result))
    } catch (error) {
      // What the tool gave cannot be written as JSON, or is no result at all.
      this.#outcomes.push(toOutcome(attempt, broken(error)))
    }
  }

  #flush(): void {
    if (this.#outcomes.length === 0) return
    const outcomes = this.#outcomes
    this.#outcomes = []
    this.#post({ type: 'report', rows: outcomeRows(outcomes) })
    if (this.#running.size === 0) this.#onIdle?.()
  }

  async #close(): Promise<void> {
    for (const ref of this.#running.keys()) this.#abort(ref, 0, 'context canceled')
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    this.#mcp?.close()
  }

  #post(message: FromWorker): void {
    this.#port.postMessage(message)
  }
}
