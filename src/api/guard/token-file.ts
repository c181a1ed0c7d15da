/**
 * The file of tokens: JSON, with a hash of each. A token is 32 random bytes, so nobody can guess what is behind a
 * SHA-256 of it; a slow hash is for passwords, which people choose, and would cost as much on each request.
 *
 * ```json
 * {"tokens": [{"name": "ci", "scopes": ["read", "submit"], "sha256": "…64 hex digits…", "created_at": "…"}]}
 * ```
 * @see contract B5
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type Stats, closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { SCOPES, type Scope } from './scopes.ts'

export interface Token {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly hash: Buffer
}

export interface TokenEntry {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly sha256: string
  readonly created_at?: string
}

const MAX_FILE_BYTES = 1024 * 1024
/** Others may not read it, and nobody else may write it. */
const FORBIDDEN_MODE = 0o027

export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()

/** What names this state of the file: another one has another. */
const versionOf = (stat: Stats): string =>
  [stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs, stat.mode].join(' ')

/** The file's text and what the system says of it. Throws with the reason where it must not be used. */
export const readSafely = (path: string): { readonly text: string; readonly stat: Stats } => {
  // Without O_NONBLOCK a named pipe would hold the daemon.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw new Error('it is no file')
    if (stat.size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`)
    if ((stat.mode & FORBIDDEN_MODE) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(3, '0')
      throw new Error(`others may read or write it (mode ${mode}): run chmod 600 on it`)
    }
    return { text: readFileSync(fd, 'utf8'), stat }
  } finally {
    closeSync(fd)
  }
}

export const entriesIn = (text: string): TokenEntry[] => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('it is not JSON')
  }
  const tokens = (value as { tokens?: unknown } | null)?.tokens
  if (!Array.isArray(tokens)) throw new Error('it has no list "tokens"')
  tokens.forEach((token: Partial<TokenEntry> | null, at) => {
    const refuse = (what: string): never => {
      throw new Error(`tokens[${at}]${what}`)
    }
    if (typeof token?.name !== 'string' || token.name === '') refuse('.name: expected a text')
    if (!Array.isArray(token?.scopes) || !token.scopes.every((scope) => SCOPES.includes(scope)))
      refuse(`.scopes: expected a list of ${SCOPES.join(', ')}`)
    if (typeof token?.sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(token.sha256))
      refuse('.sha256: expected 64 hex digits')
  })
  return tokens as TokenEntry[]
}

/** The tokens of a file, read again when it changes: looked at once a second at most, when somebody asks. */
export class TokenFile {
  readonly #path: string
  readonly #onProblem: (reason: string) => void
  #tokens: readonly Token[] = []
  #version = ''
  #lookedAtMs = 0
  #lastProblem = ''

  /** @throws with the reason where the file cannot be used. Later on, `onProblem` is told, and the last tokens stay. */
  constructor(path: string, onProblem: (reason: string) => void) {
    this.#path = path
    this.#onProblem = onProblem
    this.#read()
  }

  /** The token's entry, null where there is none. Takes equally long for each. */
  find(token: string): Token | null {
    this.#refresh()
    const hash = hashOf(token)
    let found: Token | null = null
    for (const known of this.#tokens) {
      if (timingSafeEqual(known.hash, hash)) found = known
    }
    return found
  }

  #read(): void {
    const { text, stat } = readSafely(this.#path)
    const version = versionOf(stat)
    if (version === this.#version) return
    this.#tokens = entriesIn(text).map(({ name, scopes, sha256 }) => ({
      name,
      scopes,
      hash: Buffer.from(sha256, 'hex'),
    }))
    this.#version = version
  }

  #refresh(): void {
    const nowMs = performance.now()
    if (nowMs - this.#lookedAtMs < 1000) return
    this.#lookedAtMs = nowMs
    try {
      this.#read()
      this.#lastProblem = ''
    } catch (error) {
      const reason = (error as Error).message
      if (reason !== this.#lastProblem) this.#onProblem(reason)
      this.#lastProblem = reason
    }
  }
}
