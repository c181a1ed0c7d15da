/** The daemon that a command speaks to. */
import { type Client, createClient } from '../client/index.ts'
import type { Terminal } from './terminal.ts'

const DEFAULT_URL = 'http://127.0.0.1:8080'

/** By `EXECGO_URL` and `EXECGO_TOKEN`. */
export const clientOf = ({ env }: Terminal): Client => {
  const token = env['EXECGO_TOKEN']
  return createClient({ baseUrl: env['EXECGO_URL'] || DEFAULT_URL, ...(token ? { token } : {}) })
}
