/** How far a server is with its tasks, by `GET /metrics`: cheap for it, however many there are. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, withConnections } from './client.ts'
import { get } from './requests.ts'

const POLL_MS = 4
/** Without a task over in all that time, it is given up. */
const STUCK_MS = 120_000

const METRICS = get('/metrics')

interface Over {
  readonly succeeded: number
  readonly failed: number
}

/** Tasks that are over since the server's start. */
const over = async (connection: Connection): Promise<Over> => {
  const { status, text } = await connection.ask(METRICS)
  if (status !== 200) throw new Error(`GET /metrics: ${status} ${text}`)
  const metrics = JSON.parse(text) as { tasks_succeeded: number; tasks_failed: number }
  return { succeeded: metrics.tasks_succeeded, failed: metrics.tasks_failed }
}

/** Resolves when `count` tasks succeeded since the server's start. Rejects when one failed, or when none ends any more. */
export const untilSucceeded = (port: number, count: number, pollMs = POLL_MS): Promise<void> =>
  withConnections(port, 1, async ([connection]) => {
    let last = -1
    for (let movedAt = performance.now(); ; await sleep(pollMs)) {
      const { succeeded, failed } = await over(connection!)
      if (failed > 0) throw new Error(`${failed} tasks failed or were skipped`)
      if (succeeded >= count) return
      if (succeeded !== last) movedAt = performance.now()
      else if (performance.now() - movedAt > STUCK_MS)
        throw new Error(`${succeeded} of ${count} tasks ended, then no more`)
      last = succeeded
    }
  })
