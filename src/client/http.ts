/** Requests to the daemon: the token, errors as errors, and another try where a try may have been lost on the way. */
import { ConnectionError, type RefusedError, refusalOf } from './errors.ts'

export interface ClientOptions {
  /** `http://127.0.0.1:8080` by default. */
  baseUrl?: string
  /** A bearer token. */
  token?: string
  /** Tries beyond the first; 3 by default. */
  retries?: number
  /** In the place of the global one. */
  fetch?: typeof fetch
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  /** Whether it may be sent again where nobody knows if it arrived. */
  readonly isRepeatable?: boolean
}

const FIRST_DELAY_MS = 200
const LONGEST_DELAY_MS = 10_000

export class Http {
  readonly #baseUrl: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #retries: number
  readonly #fetch: typeof fetch

  constructor({ baseUrl = 'http://127.0.0.1:8080', token = '', retries = 3, ...rest }: ClientOptions) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '')
    this.#headers = token === '' ? {} : { Authorization: `Bearer ${token}` }
    this.#retries = retries
    // Browsers want it called as a function of the window.
    this.#fetch = rest.fetch ?? ((...args) => fetch(...args))
  }

  async json<T>(path: string, call: Call = {}): Promise<T> {
    return (await this.answer<T>(path, call)).value
  }

  /** The whole of an answer, `undefined` for none, and its headers. */
  async answer<T>(path: string, call: Call = {}): Promise<{ value: T; headers: Headers }> {
    const { signal, unlink } = linked(call.signal)
    try {
      const response = await this.send(path, { ...call, signal })
      const value = response.status === 204 ? undefined : await this.#read(response, signal)
      return { value: value as T, headers: response.headers }
    } finally {
      unlink()
    }
  }

  /** @throws ConnectionError where it breaks off */
  async #read(response: Response, signal?: AbortSignal): Promise<unknown> {
    try {
      return await response.json()
    } catch (error) {
      signal?.throwIfAborted()
      // Something else may listen there.
      const what = error instanceof SyntaxError ? 'is no JSON' : 'broke off'
      throw new ConnectionError(`an answer of ${this.#baseUrl} ${what}: ${reasonOf(error)}`, { cause: error })
    }
  }

  /** An answer that is no refusal. @throws what errors.ts has, or the reason of the signal */
  async send(path: string, call: Call = {}): Promise<Response> {
    for (let tries = 0; ; tries++) {
      const outcome = await this.#try(path, call)
      if (outcome instanceof Response) return outcome
      const { error, waitMs } = outcome
      if (waitMs === null || tries >= this.#retries) throw error
      await delay(Math.max(waitMs, backoffMs(tries)), call.signal)
    }
  }

  /** @returns the answer; or the error, and how long to wait at least before another try, `null` for none */
  async #try(path: string, call: Call): Promise<Response | Failed> {
    const { method = 'GET', body, headers, signal, isRepeatable = method === 'GET' } = call
    try {
      const response = await this.#fetch(`${this.#baseUrl}${path}`, {
        method,
        headers: {
          ...this.#headers,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal == null ? {} : { signal }),
      })
      if (response.ok) return response
      const error = await refusalOf(response)
      return { error, waitMs: isBusy(error) ? (error.retryAfterMs ?? 0) : null }
    } catch (error) {
      signal?.throwIfAborted()
      const failed = new ConnectionError(`${method} ${this.#baseUrl}${path}: ${reasonOf(error)}`, {
        cause: error,
      })
      return { error: failed, waitMs: isRepeatable ? 0 : null }
    }
  }
}

interface Failed {
  readonly error: RefusedError | ConnectionError
  readonly waitMs: number | null
}

/** It was not done, and may be later. */
const isBusy = ({ status }: RefusedError): boolean => status === 429 || status === 503

/** Twice as long each time, and a little by chance, so that many clients do not come back together. */
const backoffMs = (tries: number): number =>
  Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** tries) * (0.5 + Math.random() / 2)

/**
 * A signal of its own for one request: fetch leaves its listeners on the one that it is given until they are collected,
 * and Node warns of so many where a program has one for all that it does.
 */
export const linked = (
  signal: AbortSignal | undefined,
): { readonly signal: AbortSignal | undefined; readonly unlink: () => void } => {
  if (signal == null) return { signal: undefined, unlink: () => {} }
  const own = new AbortController()
  const abort = (): void => own.abort(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort)
  return { signal: own.signal, unlink: () => signal.removeEventListener('abort', abort) }
}

/** Resolves after a while; rejects with the signal's reason. */
export const delay = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      if (signal?.aborted === true) reject(signal.reason as Error)
      else resolve()
    }
    const timer = setTimeout(end, ms)
    if (signal?.aborted === true) end()
    else signal?.addEventListener('abort', end)
  })

/** fetch hides why it failed in the cause. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message || error.message : error.message
}
