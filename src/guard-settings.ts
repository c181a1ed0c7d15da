/** The settings of the guards: who may reach the daemon, and what its tools may reach. Read by `src/config.ts`. @see contract B5 */
import * as v from 'valibot'

export interface GuardConfig {
  /** Paths, `''` for none. */
  readonly authFile: string
  readonly tlsCert: string
  readonly tlsKey: string
  readonly auditLog: string
  /** `https://example.com`, in lower case and without a slash at the end. */
  readonly allowedOrigins: readonly string[]
  /** Requests per second of one token or address; 0 = as many as come. */
  readonly requestsPerSecond: number
  /** The folder that `file` stays in, `''` for none. */
  readonly fileRoot: string
  readonly netPolicy: 'any' | 'public'
}

const path = (env: string) => ({ env, fallback: '', schema: v.string() })

const listed = (text: string): string[] =>
  text.split(',').flatMap((each) => (each.trim() === '' ? [] : [each.trim().toLowerCase()]))

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text

export const GUARD_SETTINGS = {
  authFile: path('EXECGO_AUTH_FILE'),
  tlsCert: path('EXECGO_TLS_CERT'),
  tlsKey: path('EXECGO_TLS_KEY'),
  auditLog: path('EXECGO_AUDIT_LOG'),
  allowedOrigins: {
    env: 'EXECGO_ALLOWED_ORIGINS',
    fallback: '',
    schema: v.pipe(
      v.string(),
      v.check((text) => listed(text).every(isOrigin), 'origins like https://example.com, between commas'),
      v.transform(listed),
    ),
  },
  requestsPerSecond: {
    env: 'EXECGO_RATE_LIMIT',
    fallback: '0',
    schema: v.pipe(
      v.string(),
      v.check((text) => /^\d{1,7}$/.test(text), 'requests per second, from 0 (no limit) to 9999999'),
      v.transform(Number),
    ),
  },
  fileRoot: path('EXECGO_FILE_ROOT'),
  netPolicy: {
    env: 'EXECGO_NET_POLICY',
    fallback: 'any',
    schema: v.picklist(['any', 'public'], 'any or public'),
  },
} as const
