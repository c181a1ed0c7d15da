/** The calls that wait and watch. @see contract B3 */
import type { Metadata, ServerWritableStream } from '@grpc/grpc-js'
import { type Result, ok, refused } from '../../domain/errors.ts'
import { graphIdOf } from '../../domain/graph-record.ts'
import type { EventReader, TaskEvent } from '../events.ts'
import type { Service } from '../service.ts'
import { DEFAULT_WAIT_MS, waitFor, waitMsIn } from '../wait-query.ts'
import { gatherTasks } from './gather.ts'
import type { TaskMessage } from './messages.ts'
import { statusOf } from './status.ts'
import { wellFormed } from './text.ts'

export interface WaitTasksMessage {
  readonly task_ids: readonly string[]
  readonly graph_id: string
  readonly mode: string
  readonly timeout_ms?: number
}

interface WatchTasksMessage {
  readonly task_id: string
  readonly graph_id: string
  readonly types: readonly string[]
  readonly last_event_id?: number
}

interface EventMessage {
  readonly id: number
  readonly type: string
  readonly task_id: string
  readonly graph_id: string
  readonly at_unix_ms: number
  readonly attempt: number
  readonly message: string
}

/** What a call tells of its client. */
export interface Client {
  readonly cancelled: boolean
  on(event: 'cancelled', listener: () => void): unknown
}

const MOST_MIB = 32
const INSTEAD = 'ask for them one by one (GetTask), or in pages (ListTasks with page_size)'

export const waitTasks = async (
  service: Service,
  message: WaitTasksMessage,
  client: Client,
): Promise<Result<{ done: boolean; tasks: TaskMessage[] }>> => {
  const { task_ids, graph_id, mode } = message
  if (mode !== '' && mode !== 'all' && mode !== 'any')
    return refused('invalid', `mode must be all or any, got ${JSON.stringify(mode.slice(0, 40))}`)
  const timeoutMs = waitMsIn(message.timeout_ms ?? DEFAULT_WAIT_MS, 'timeout_ms')
  if (!timeoutMs.ok) return timeoutMs
  const wanted = waitFor(task_ids, graph_id, mode === '' ? 'all' : mode, timeoutMs.value)
  if (!wanted.ok) return wanted
  const gone = new AbortController()
  client.on('cancelled', () => gone.abort())
  if (client.cancelled) gone.abort()
  const waited = await service.watchers.waiting.tasks(wanted.value, gone.signal)
  if (!waited.ok) return waited
  const tasks = await gatherTasks(waited.value.tasks, client, MOST_MIB, INSTEAD)
  return tasks.ok ? ok({ done: waited.value.done, tasks: tasks.value }) : tasks
}

/** Seconds after which it is worth waiting again; 0 where it is done. */
export const waitHint = (
  { watchers }: Service,
  { task_ids, graph_id, mode }: WaitTasksMessage,
  { done }: { readonly done: boolean },
): number | Promise<number> =>
  done
    ? 0
    : watchers.retryAfterSOf({
        taskIds: graph_id === '' ? task_ids : null,
        graphId: graph_id,
        mode: mode === 'any' ? 'any' : 'all',
      })

/** How often a watch without events looks whether it should end. */
const LOOK_EVERY_MS = 60_000

/** A client that reads nothing for so long is dropped. */
const STALLED_MS = 60_000

export type WatchCall = ServerWritableStream<WatchTasksMessage, EventMessage>

/** @param initial goes ahead of the first event */
export const watchTasks = async (service: Service, call: WatchCall, initial: Metadata): Promise<void> => {
  call.sendMetadata(initial)
  const { task_id, graph_id, types, last_event_id } = call.request
  const reader = service.watchers.events.open({
    taskId: task_id,
    graphId: graph_id,
    types,
    lastEventId: last_event_id === undefined ? '' : String(last_event_id),
  })
  if (!reader.ok) {
    call.emit('error', statusOf(reader.problem))
    return
  }
  const close = (): void => reader.value.close()
  call.on('cancelled', close)
  call.on('close', close)
  call.on('error', close)
  if (call.cancelled) close()
  try {
    await write(call, reader.value)
    if (!call.cancelled) call.emit('error', statusOf(ENDED))
  } finally {
    close()
  }
}

const ENDED = refused('unavailable', 'the watch has ended: watch again after the last event').problem

const write = async (call: WatchCall, reader: EventReader): Promise<void> => {
  for (;;) {
    const events = await reader.next(LOOK_EVERY_MS)
    if (events === null) return
    for (const event of events) {
      if (call.cancelled) return
      if (!call.write(eventMessage(event)) && !(await hasDrained(call))) return
    }
  }
}

/** Resolves to whether the client goes on reading. */
const hasDrained = (call: WatchCall): Promise<boolean> =>
  new Promise((resolve) => {
    const end = (isDrained: boolean): void => {
      clearTimeout(timer)
      call.off('drain', onDrain)
      call.off('cancelled', onGone)
      resolve(isDrained)
    }
    const onDrain = (): void => end(true)
    const onGone = (): void => end(false)
    const timer = setTimeout(onGone, STALLED_MS)
    call.once('drain', onDrain)
    call.once('cancelled', onGone)
    if (call.cancelled) onGone()
  })

const eventMessage = ({ id, type, taskId, graphKey, atMs, attempt, message }: TaskEvent): EventMessage => ({
  id,
  type,
  task_id: wellFormed(taskId),
  graph_id: graphIdOf(graphKey),
  at_unix_ms: atMs,
  attempt,
  message: wellFormed(message),
})
