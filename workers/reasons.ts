/**
 * The operating system's reasons in the words that the guide's clients know: libuv and Node say the same things
 * otherwise.
 */

const ERRNO_TEXTS: Readonly<Record<string, string>> = {
  E2BIG: 'argument list too long',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EAGAIN: 'resource temporarily unavailable',
  EBUSY: 'device or resource busy',
  ECONNABORTED: 'software caused connection abort',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'file exists',
  EFBIG: 'file too large',
  EHOSTUNREACH: 'no route to host',
  EINVAL: 'invalid argument',
  EIO: 'input/output error',
  EISDIR: 'is a directory',
  ELOOP: 'too many levels of symbolic links',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'file name too long',
  ENETUNREACH: 'network is unreachable',
  ENFILE: 'too many open files in system',
  ENODEV: 'no such device',
  ENOENT: 'no such file or directory',
  ENOEXEC: 'exec format error',
  ENOMEM: 'cannot allocate memory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  ENXIO: 'no such device or address',
  EPERM: 'operation not permitted',
  EPIPE: 'broken pipe',
  EROFS: 'read-only file system',
  ETIMEDOUT: 'connection timed out',
  ETXTBSY: 'text file busy',
  EXDEV: 'invalid cross-device link',
  // Node's own refusals of what the system would refuse too.
  ERR_INVALID_ARG_VALUE: 'invalid argument',
}

/** Node's error, which may carry these. */
export interface SystemError {
  readonly code?: string
  readonly syscall?: string
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
  readonly message?: string
  /** Of an AggregateError: one for each address that was tried. */
  readonly errors?: readonly SystemError[]
}

export const asSystemError = (error: unknown): SystemError =>
  typeof error === 'object' && error !== null ? error : { message: String(error) }

/** `no such file or directory` for ENOENT and so on; the error's own message for what has no errno. */
export const errnoText = (error: unknown): string => {
  const { code, message } = asSystemError(error)
  return ERRNO_TEXTS[code ?? ''] ?? (message || 'unknown error')
}

const LOOKUP_TEXTS: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'Temporary failure in name resolution',
  EAI_FAIL: 'server misbehaving',
  ECANCELLED: 'operation was canceled',
  EBADNAME: 'no such host',
  ENODATA: 'no such host',
  ENONAME: 'no such host',
  ENOTFOUND: 'no such host',
  EREFUSED: 'server misbehaving',
  ESERVFAIL: 'server misbehaving',
  ETIMEOUT: 'i/o timeout',
  // What toASCII makes of an impossible name.
  ERR_INVALID_ARG_VALUE: 'no such host',
  EINVAL: 'no such host',
}

/** `lookup nope.invalid: no such host`. */
export const lookupReason = (name: string, error: unknown): string =>
  `lookup ${name}: ${LOOKUP_TEXTS[asSystemError(error).code ?? ''] ?? errnoText(error)}`

/** What a network call that took too long ends with. */
export const LATE = 'i/o timeout'

/** What a network call that was aborted ends with. */
export const stopReason = (signal: AbortSignal): string =>
  signal.reason === 'context deadline exceeded' ? LATE : 'operation was canceled'

/** `127.0.0.1:80`, `[::1]:80`. */
export const joinHostPort = (host: string, port: number | string): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/**
 * Why a connection did not come about: `dial tcp 127.0.0.1:9: connect: connection refused`. `host` and `port` are
 * what was asked for; the address that was tried is named where the error knows it.
 */
export const dialReason = (error: unknown, host: string, port: number): string => {
  const outer = asSystemError(error)
  const first = outer.errors?.[0] ?? outer
  if (first.syscall === 'getaddrinfo') return `dial tcp: ${lookupReason(host, first)}`
  const address = host === '' ? '' : (first.address ?? host)
  return `dial tcp ${joinHostPort(address, first.port ?? port)}: connect: ${errnoText(first)}`
}
