/** Events, over as many connections as it takes. */
import { ConnectionError, UnavailableError } from './errors.ts'
import { type Http, delay, linked } from './http.ts'
import type { EventType, TaskEvent } from './types.ts'

export interface EventsOptions {
  taskId?: string
  graphId?: string
  types?: readonly EventType[]
  /** The last event that was seen; 0 begins with the first ever. Without it one sees what comes from now on. */
  after?: number
  signal?: AbortSignal | undefined
}

const RECONNECT_AFTER_MS = 500

/**
 * Each event once, in order, also over a restart of the daemon. Ends with the signal, which it does not throw.
 * @throws GoneError where the history does not reach back to the last event that was seen
 */
export async function* watch(http: Http, options: EventsOptions): AsyncGenerator<TaskEvent, void> {
  const isOver = (): boolean => options.signal?.aborted === true
  let after = options.after
  while (!isOver()) {
    const { signal, unlink } = linked(options.signal)
    try {
      const response = await http.send(`/events?${queryOf(options, after)}`, { signal })
      for await (const { id, data } of frames(response)) {
        after = id
        if (data !== '') yield JSON.parse(data) as TaskEvent
        // More may have come with it.
        if (isOver()) return
      }
    } catch (error) {
      if (isOver()) return
      // The daemon may be on its way up again for longer than a request is tried.
      const isLost = error instanceof ConnectionError || error instanceof UnavailableError || isBroken(error)
      if (!isLost || after === undefined) throw error
    } finally {
      unlink()
    }
    await delay(RECONNECT_AFTER_MS, options.signal).catch(() => {})
  }
}

/** The number of the last event: a stream says at its beginning where it begins. */
export const lastEvent = async (http: Http, signal?: AbortSignal): Promise<number> => {
  const { signal: own, unlink } = linked(signal)
  try {
    const response = await http.send('/events', { signal: own })
    for await (const { id } of frames(response)) return id
  } finally {
    unlink()
  }
  throw new ConnectionError('/events: the stream ended before it began')
}

/** A stream that broke off: every runtime has its own words for it, and nothing else there throws these. */
const isBroken = (error: unknown): boolean => error instanceof TypeError || error instanceof DOMException

const queryOf = ({ taskId, graphId, types = [] }: EventsOptions, after: number | undefined): string => {
  const query = new URLSearchParams()
  if (taskId !== undefined) query.set('task_id', taskId)
  if (graphId !== undefined) query.set('graph_id', graphId)
  if (types.length > 0) query.set('type', types.join(','))
  if (after !== undefined) query.set('last_event_id', String(after))
  return query.toString()
}

interface Frame {
  readonly id: number
  /** `''` where it only says how far the daemon is. */
  readonly data: string
}

async function* frames(response: Response): AsyncGenerator<Frame, void> {
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      text += decoder.decode(value, { stream: true })
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n')
        text = text.slice(end + 2)
        const id = fieldOf(lines, 'id: ')
        if (id !== '') yield { id: Number(id), data: fieldOf(lines, 'data: ') }
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

const fieldOf = (lines: readonly string[], name: string): string =>
  lines.find((line) => line.startsWith(name))?.slice(name.length) ?? ''
