/**
 * Waiting for a graph while its caller is told how far it is. The graph is looked at once a second, and at once when it is
 * over; a daemon that does not answer meanwhile may be starting again, so it is asked until the time is over.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Result } from '../../domain/errors.ts'
import type { GraphView } from '../graph-view.ts'
import type { Call } from './tool.ts'

const LOOK_EVERY_MS = 1000
/** Nobody is told more often; less often only where nothing can be said. */
const TELL_EVERY_MS = 10_000

/** The graph when it is over; or as it is at the end of the time, of the caller's patience, or of the daemon. */
export const followGraph = async (
  graphId: string,
  timeoutMs: number,
  call: Call,
): Promise<Result<GraphView>> => {
  const { backend, signal } = call
  const endMs = performance.now() + timeoutMs
  const teller = call.progress === null ? null : new Teller(call.progress)
  for (;;) {
    const leftMs = Math.max(0, endMs - performance.now())
    const graph = await backend.graph(graphId, Math.min(LOOK_EVERY_MS, leftMs), signal)
    const isLost = !graph.ok && (graph.problem.code === 'unavailable' || graph.problem.code === 'overloaded')
    if (!graph.ok && !isLost) return graph
    if (graph.ok && graph.value.finished_at !== undefined) return graph
    if (signal.aborted || backend.isStopping || leftMs === 0) return graph
    if (graph.ok) teller?.tell(graph.value)
    else await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
  }
}

/**
 * Tells when something changed, and now and then where nothing did, so that who waits knows that somebody is there.
 * Progress must grow each time: between two tasks it grows by a part of one.
 */
class Teller {
  readonly #progress: NonNullable<Call['progress']>
  #last = -1
  #lastMessage = ''
  #toldMs = Number.NEGATIVE_INFINITY
  /** Times that nothing had changed. */
  #idle = 0

  constructor(progress: NonNullable<Call['progress']>) {
    this.#progress = progress
  }

  tell({ counts }: GraphView): void {
    const over = counts.success + counts.failed + counts.skipped
    const total = over + counts.pending + counts.running
    const message = messageOf(over, total, counts)
    const hasChanged = message !== this.#lastMessage
    if (!hasChanged && performance.now() - this.#toldMs < TELL_EVERY_MS) return
    this.#idle = hasChanged && over > this.#last ? 0 : this.#idle + 1
    const done = Math.max(over + 1 - 2 ** -this.#idle, 0)
    if (done <= this.#last) return
    this.#last = done
    this.#lastMessage = message
    this.#toldMs = performance.now()
    this.#progress(done, total, message)
  }
}

const messageOf = (over: number, total: number, { running, failed }: GraphView['counts']): string =>
  [
    `${over} of ${total} tasks over`,
    ...(running > 0 ? [`${running} running`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(', ')

/** Whether every task of a graph that is over succeeded; undefined for one that is not. */
export const hasSucceeded = ({ status, finished_at }: GraphView): boolean | undefined =>
  finished_at === undefined ? undefined : status === 'success'
