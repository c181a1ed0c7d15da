/**
 * Many requests at once, by autocannon: what a server of this kind is usually measured with. A client that does less for
 * each answer takes less of the two cores from a server that needs both, and makes the floor faster than any server
 * that does something: the ratios would be those of another experiment (see ../README.md).
 */
import autocannon from 'autocannon'

/** One that is sent many times has no more than that. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
}

export const repeated = (request: LoadRequest, count: number): readonly LoadRequest[] =>
  new Array<LoadRequest>(count).fill(request)

/** A submission of each graph. */
export const submissions = (count: number, graph: (at: number) => string): readonly LoadRequest[] =>
  Array.from({ length: count }, (_, at) => ({ method: 'POST', path: '/tasks', body: graph(at) }))

const HEADERS = { 'content-type': 'application/json' }

/**
 * Sends them all, on each connection one at a time; resolves with the last answer.
 * @returns when the first went out, by `performance.now()`
 * @throws at an answer of another status than the one given
 */
export const sendAll = (
  port: number,
  connections: number,
  requests: readonly LoadRequest[],
  status: number,
): Promise<number> =>
  new Promise((resolve, reject) => {
    const isRepeated = requests.every((request) => request === requests[0])
    let sent = 0
    let answered = 0
    const next = (given: autocannon.Request): autocannon.Request => ({
      ...given,
      ...requests[Math.min(sent++, requests.length - 1)]!,
    })
    const run = autocannon(
      {
        url: `http://127.0.0.1:${port}`,
        connections: Math.min(connections, requests.length),
        amount: requests.length,
        // One that is always the same is made once.
        requests: [
          isRepeated ? { ...requests[0]!, headers: HEADERS } : { headers: HEADERS, setupRequest: next },
        ],
      },
      (error: Error | null) => {
        if (error !== null) reject(error)
        else if (answered < requests.length) reject(new Error(`${answered} of ${requests.length} answers`))
      },
    )
    const startedAt = performance.now()
    run.on('reqError', reject)
    run.on('response', (_client, code) => {
      if (code !== status) {
        run.stop()
        reject(new Error(`an answer ${code} instead of ${status}`))
      } else if (++answered === requests.length) resolve(startedAt)
    })
  })
