/**
 * A graph from its file to its end, by a kernel in this process.
 *
 * ```
 * read ─► start ─► watch ─► submit ─► each event: display ─► all over ─► summary
 *                                          ▲
 *                  Ctrl+C, or a failure: cancel what is left
 * ```
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type GraphSpec,
  InvalidError,
  type Kernel,
  type KernelLog,
  type Submitted,
  type TaskEvent,
  createKernel,
} from '../../index.ts'
import { type GraphFile, openGraphFile, refusal } from '../graph-file.ts'
import { Output, paintFor } from '../output.ts'
import { isBad } from '../show.ts'
import { CommandError, type Terminal } from '../terminal.ts'
import { Display } from './display.ts'
import type { RunOptions } from './run.ts'
import { kernelOptionsOf } from './settings.ts'
import { summaryOf, verdict } from './summary.ts'

/** @throws CommandError where it does not end well */
export const runGraphFile = async (terminal: Terminal, file: string, options: RunOptions): Promise<void> => {
  const { param: params = {}, dataDir: given, maxConcurrency, verbose: isVerbose = false } = options
  const graphFile = await openGraphFile(file, { params, terminal })
  await warn(graphFile, terminal)
  const display = new Display(terminal, { isVerbose })
  const isTemporary = given === undefined
  const dataDir = given ?? join(tmpdir(), `execgo-run-${randomUUID()}`)
  const settings = { dataDir, isTemporary, maxConcurrency, log: logTo(display) }
  const kernel = createKernel(kernelOptionsOf(terminal.env, settings))
  // Whatever ends the process: no command outlives it, the terminal is as it was, and nothing is left behind.
  const leave = (): void => {
    display.close()
    kernel.killCommands()
    if (isTemporary) rmSync(dataDir, { recursive: true, force: true })
  }
  process.once('exit', leave)
  try {
    // What tasks put out is nobody else's to read.
    if (isTemporary) mkdirSync(dataDir, { mode: 0o700 })
    await kernel.start()
    await new Run(terminal, kernel, display, options).run(graphFile)
  } finally {
    display.close()
    await kernel.stop({ timeoutMs: 0 })
    leave()
    process.off('exit', leave)
  }
}

class Run {
  readonly #terminal: Terminal
  readonly #kernel: Kernel
  readonly #display: Display
  readonly #options: RunOptions

  constructor(terminal: Terminal, kernel: Kernel, display: Display, options: RunOptions) {
    this.#terminal = terminal
    this.#kernel = kernel
    this.#display = display
    this.#options = options
  }

  async run(file: GraphFile): Promise<void> {
    const { signal } = this.#terminal
    const startedMs = performance.now()
    signal.throwIfAborted()
    const events = this.#kernel.events()
    // It watches from here on.
    const first = events.next()
    const { graph_id: graphId, accepted } = await this.#submit(file)
    if (graphId === undefined)
      throw new CommandError(2, 'nothing of the graph is new: all its tasks are there already')
    const cancel = (): void => this.#cancel(graphId, 'Cancelling what is left. Ctrl+C again ends it at once.')
    signal.addEventListener('abort', cancel)
    if (signal.aborted) cancel()
    try {
      this.#display.begin(accepted)
      await this.#follow(graphId, first, events)
    } finally {
      signal.removeEventListener('abort', cancel)
      this.#display.close()
    }
    await this.#sumUp(graphId, performance.now() - startedMs)
  }

  async #submit({ graph, told }: GraphFile): Promise<Submitted> {
    try {
      return await this.#kernel.submit(graph)
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error
      const { graphProblems } = await import('../../api/graph-problems.ts')
      const errors = graphProblems(graph).filter(({ severity }) => severity === 'error')
      throw refusal(errors.length === 0 ? [error.message] : await told(errors))
    }
  }

  async #follow(
    graphId: string,
    first: Promise<IteratorResult<TaskEvent, void>>,
    rest: AsyncGenerator<TaskEvent, void>,
  ): Promise<void> {
    const { tracker } = this.#display
    let isFailFast = this.#options.failFast === true
    for (let next = await first; next.done !== true; next = await rest.next()) {
      const event = next.value
      if (event.graph_id !== graphId) continue
      const ended = tracker.note(event, performance.now())
      if (event.type === 'task_retried')
        this.#display.retried(event.task_id, event.attempt ?? 1, event.message ?? '')
      if (ended === null) continue
      const isShown = this.#display.wants(ended)
      const mayEndAll = isFailFast && ended.how === 'failed' && !tracker.isOver
      if (isShown || mayEndAll) {
        const task = await this.#kernel.get(event.task_id)
        if (isShown) this.#display.ended(task)
        if (mayEndAll && isBad(task)) {
          isFailFast = false
          this.#cancel(graphId, 'A task failed: cancelling what is left.')
        }
      }
      if (tracker.isOver) break
    }
    await rest.return()
  }

  #cancel(graphId: string, why: string): void {
    this.#display.note(why)
    // Over already, or it will end by itself.
    this.#kernel.graphs.cancel(graphId).catch(() => {})
  }

  async #sumUp(graphId: string, tookMs: number): Promise<void> {
    const { stderr, env } = this.#terminal
    const output = new Output(this.#terminal, this.#options)
    const summary = await summaryOf(this.#kernel.list({ graphId }), output)
    if (output.format !== 'table') await output.list(this.#kernel.list({ graphId }))
    else if (summary.table !== '')
      await output.write(this.#terminal.stdout.isTTY ? `\n${summary.table}\n` : summary.table)
    stderr.write(`${verdict(this.#display.tracker.ends, summary, tookMs, paintFor(stderr, env))}\n`)
    if (summary.hasDenied) stderr.write('  EXECGO_SHELL_POLICY=open allows every command.\n')
    if (summary.isBad) throw new CommandError(1)
    this.#terminal.signal.throwIfAborted()
  }
}

/** A graph of more is not looked through for what is most likely a mistake. */
const MOST_TO_WARN_OF = 1000

const warn = async ({ graph, told }: GraphFile, { stderr }: Terminal): Promise<void> => {
  const tasks = (graph as Partial<GraphSpec> | null)?.tasks
  if (!Array.isArray(tasks) || tasks.length > MOST_TO_WARN_OF) return
  const { graphProblems } = await import('../../api/graph-problems.ts')
  const warnings = graphProblems(graph).filter(({ severity }) => severity === 'warning')
  if (warnings.length === 0) return
  for (const line of await told(
    warnings.map(({ path, message }) => ({ path, message: `warning: ${message}` })),
  ))
    stderr.write(`${line}\n`)
}

const logTo = (display: Display): KernelLog => {
  const tell = (fields: object, message: string): void => {
    const { err, reason } = fields as { err?: unknown; reason?: unknown }
    const why = err instanceof Error ? err.message : typeof reason === 'string' ? reason : ''
    display.note(`execgo: ${message}${why === '' ? '' : `: ${why}`}`)
  }
  const ignore = (): void => {}
  return { debug: ignore, info: ignore, warn: tell, error: tell }
}
