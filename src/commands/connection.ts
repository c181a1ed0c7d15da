/** The daemon that a command speaks to. */
import { type Client, createClient } from '../client/index.ts'
import { CommandError, type Terminal } from './terminal.ts'

export const DEFAULT_URL = 'http://127.0.0.1:8080'

/** Over a restart of the daemon, for about a minute. */
const PATIENT_TRIES = 10

export const urlOf = (env: Terminal['env']): string => {
  const url = env['EXECGO_URL'] || DEFAULT_URL
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new CommandError(2, `EXECGO_URL: expected a URL like ${DEFAULT_URL}, got ${JSON.stringify(url)}`)
}

/**
 * By `EXECGO_URL` and `EXECGO_TOKEN`. It tries once: what went wrong is told at once, and who asked decides.
 * @param isPatient for what is known to be there and is waited for
 */
export const clientOf = ({ env }: Terminal, isPatient = false): Client => {
  const token = env['EXECGO_TOKEN']
  const retries = isPatient ? PATIENT_TRIES : 0
  return createClient({ baseUrl: urlOf(env), retries, ...(token ? { token } : {}) })
}
