/** Adds tokens to the file: for one at a time of those who want to, so that none is lost. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs'
import { locked } from './file-lock.ts'
import type { Scope } from './scopes.ts'
import { type TokenEntry, entriesIn, hashOf, readSafely } from './token-file.ts'

/** Adds a token to the file, which is made where there is none, and returns it: it is nowhere else. */
export const addToken = (path: string, name: string, scopes: readonly Scope[]): string =>
  locked(`${path}.lock`, () => {
    const { entries, stat } = existing(path)
    if (entries.some((entry) => entry.name === name))
      throw new Error(`it has a token of the name ${name} already`)
    const token = `execgo_${randomBytes(32).toString('base64url')}`
    const sha256 = hashOf(token).toString('hex')
    const tokens = [...entries, { name, scopes, sha256, created_at: new Date().toISOString() }]
    replaceFile(path, `${JSON.stringify({ tokens }, null, 2)}\n`, stat)
    return token
  })

const existing = (path: string): { readonly entries: readonly TokenEntry[]; readonly stat: Stats | null } => {
  try {
    const { text, stat } = readSafely(path)
    return { entries: entriesIn(text), stat }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { entries: [], stat: null }
    throw error
  }
}

/** Readers see the old file or the new one, never half of it; who could read the old one can read the new one. */
const replaceFile = (path: string, text: string, before: Stats | null): void => {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    const fd = openSync(draft, 'wx', 0o600)
    try {
      if (before !== null) {
        fchownSync(fd, before.uid, before.gid)
        fchmodSync(fd, before.mode & 0o777)
      }
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

const hasCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code
