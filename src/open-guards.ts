/** Opens what the guards' settings name, before anything else starts: each failure names its setting. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { AuditLog } from './api/guard/audit-log.ts'
import { Guard } from './api/guard/guard.ts'
import { TokenFile } from './api/guard/token-file.ts'
import type { GuardConfig } from './guard-settings.ts'

export interface Guards {
  readonly guard: Guard
  readonly allowedOrigins: readonly string[]
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
  /** Without symbolic links, `''` for none. */
  readonly fileRoot: string
}

/** What is needed of the log. */
interface Log {
  error(fields: object, message: string): void
}

/** @throws with one line that names the setting */
export const openGuards = (config: GuardConfig, log: Log): Guards => {
  const { authFile, auditLog, requestsPerSecond, allowedOrigins } = config
  const onTokenProblem = (reason: string): void =>
    log.error({ reason }, 'EXECGO_AUTH_FILE cannot be read again; the tokens of before stay')
  const onAuditProblem = (err: Error): void =>
    log.error({ err }, 'a line of the audit log could not be written')
  const tokens =
    authFile === ''
      ? null
      : named('EXECGO_AUTH_FILE', authFile, () => new TokenFile(authFile, onTokenProblem))
  const audit =
    auditLog === '' ? null : named('EXECGO_AUDIT_LOG', auditLog, () => new AuditLog(auditLog, onAuditProblem))
  const tls = openTls(config)
  return {
    guard: new Guard({ tokens, requestsPerSecond, audit }),
    allowedOrigins,
    ...(tls === null ? {} : { tls }),
    fileRoot:
      config.fileRoot === '' ? '' : named('EXECGO_FILE_ROOT', config.fileRoot, () => folder(config.fileRoot)),
  }
}

const named = <T>(setting: string, path: string, open: () => T): T => {
  try {
    return open()
  } catch (error) {
    throw new Error(`${setting}: cannot use ${path}: ${(error as Error).message}`, { cause: error })
  }
}

const openTls = ({ tlsCert, tlsKey }: GuardConfig): { cert: Buffer; key: Buffer } | null => {
  if (tlsCert === '' && tlsKey === '') return null
  if (tlsCert === '' || tlsKey === '')
    throw new Error(
      `${tlsCert === '' ? 'EXECGO_TLS_CERT' : 'EXECGO_TLS_KEY'}: TLS needs both, the certificate and the key`,
    )
  const cert = named('EXECGO_TLS_CERT', tlsCert, () => readFileSync(tlsCert))
  const key = named('EXECGO_TLS_KEY', tlsKey, () => readFileSync(tlsKey))
  named('EXECGO_TLS_CERT', tlsCert, () => createSecureContext({ cert }))
  named('EXECGO_TLS_KEY', tlsKey, () => createSecureContext({ cert, key }))
  return { cert, key }
}

const folder = (path: string): string => {
  if (!statSync(path).isDirectory()) throw new Error('it is no folder')
  if (!existsSync('/proc/self/fd')) throw new Error('this needs /proc, which is not here')
  return realpathSync(path)
}
