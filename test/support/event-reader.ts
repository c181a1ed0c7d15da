/** A client of Server-Sent Events. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { TestDaemon } from './daemon.ts'
import { eventually } from './eventually.ts'
import { expectBegun } from './raw-answers.ts'

export interface SeenEvent {
  readonly id: number
  readonly type: string
  readonly task_id: string
  readonly graph_id: string
  readonly at: string
  readonly attempt?: number
  readonly message?: string
}

export interface EventReader {
  readonly events: readonly SeenEvent[]
  /** Resolves when the daemon ends it. */
  readonly ended: Promise<unknown>
  /** Resolves when so many have come. */
  until(count: number): Promise<void>
  close(): void
}

/** @param events takes what comes */
export const watch = async (
  { url }: TestDaemon,
  query = '',
  events: SeenEvent[] = [],
): Promise<EventReader> => {
  const asked = request(`${url}/events${query}`).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  expectBegun(asked, response)
  if (response.statusCode !== 200) throw new Error(`cannot watch: ${response.statusCode}`)
  let text = ''
  let isClosed = false
  response.setEncoding('utf8').on('data', (piece: string) => {
    if (isClosed) return
    text += piece
    const frames = text.split('\n\n')
    text = frames.pop()!
    for (const frame of frames) {
      const lines = new Map(frame.split('\n').map((line) => [line.split(': ', 1)[0]!, line]))
      const data = lines.get('data')
      if (data === undefined) continue
      const event = JSON.parse(data.slice('data: '.length)) as SeenEvent
      if (lines.get('id') !== `id: ${event.id}` || lines.get('event') !== `event: ${event.type}`)
        throw new Error(`the frame contradicts itself: ${frame}`)
      events.push(event)
    }
  })
  // once() would reject where the daemon breaks off.
  const ended = new Promise((resolve) => response.once('close', resolve))
  response.on('error', () => {})
  asked.on('error', () => {})
  return {
    events,
    ended,
    until: (count) => eventually(`${count} events`, () => events.length >= count),
    close: () => {
      isClosed = true
      asked.destroy()
    },
  }
}
