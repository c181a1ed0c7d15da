/**
 * The file of tokens: JSON, with a hash of each. A token is 32 random bytes, so nobody can guess what is behind a
 * SHA-256 of it; a slow hash is for passwords, which people choose, and would cost as much on each request.
 *
 * ```json
 * {"tokens": [{"name": "ci", "scopes": ["read", "submit"], "sha256": "…64 hex digits…", "created_at": "…"}]}
 * ```
 * @see contract B5
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { SCOPES, type Scope } from './scopes.ts'

export interface Token {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly hash: Buffer
}

interface TokenEntry {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly sha256: string
  readonly created_at?: string
}

const MAX_FILE_BYTES = 1024 * 1024
/** Others may not read it, and nobody else may write it. */
const FORBIDDEN_MODE = 0o027

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()

/** What names this state of the file: another one has another. */
const versionOf = (stat: {
  ino: number
  size: number
  mtimeMs: number
  ctimeMs: number
  mode: number
}): string => [stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs, stat.mode].join(' ')

/** The file's text, and which state of it that is. Throws with the reason where it must not be used. */
const readSafely = (path: string): { readonly text: string; readonly version: string } => {
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
    return { text: readFileSync(fd, 'utf8'), version: versionOf(stat) }
  } finally {
    closeSync(fd)
  }
}

const entriesIn = (text: string): TokenEntry[] => {
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
    const { text, version } = readSafely(this.#path)
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

/** Adds a token to the file, which is made where there is none, and returns it: it is nowhere else. */
export const addToken = (path: string, name: string, scopes: readonly Scope[]): string => {
  const entries = existing(path)
  if (entries.some((entry) => entry.name === name))
    throw new Error(`it has a token of the name ${name} already`)
  const token = `execgo_${randomBytes(32).toString('base64url')}`
  const sha256 = hashOf(token).toString('hex')
  const tokens = [...entries, { name, scopes, sha256, created_at: new Date().toISOString() }]
  replaceFile(path, `${JSON.stringify({ tokens }, null, 2)}\n`)
  return token
}

const existing = (path: string): TokenEntry[] => {
  try {
    return entriesIn(readSafely(path).text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Readers see the old file or the new one, never half of it. */
const replaceFile = (path: string, text: string): void => {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    const fd = openSync(draft, 'wx', 0o600)
    try {
      writeSync(fd, text)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}
