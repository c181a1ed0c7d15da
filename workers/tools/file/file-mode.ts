/**
 * A file's mode and time as text, the way the guide's clients know them.
 */
import { constants } from 'node:fs'

/** What leads the permissions, by the file's type; none for a regular file. */
const TYPE_LETTERS: ReadonlyMap<number, string> = new Map([
  [constants.S_IFREG, ''],
  [constants.S_IFDIR, 'd'],
  [constants.S_IFLNK, 'L'],
  [constants.S_IFBLK, 'D'],
  [constants.S_IFIFO, 'p'],
  [constants.S_IFSOCK, 'S'],
  [constants.S_IFCHR, 'Dc'],
])

const SETUID = 0o4000
const SETGID = 0o2000
const STICKY = 0o1000

/** `-rw-r--r--`, `drwxr-xr-x`, `dtrwxrwxrwx`, `Dcrw-rw-rw-`. */
export const modeText = (mode: number): string => {
  const [type, ...rest] = TYPE_LETTERS.get(mode & constants.S_IFMT) ?? '?'
  const special = (mode & SETUID ? 'u' : '') + (mode & SETGID ? 'g' : '')
  const lead = (type ?? '') + special + rest.join('') + (mode & STICKY ? 't' : '')
  const letters = [...'rwxrwxrwx'].map((letter, place) => (mode & (1 << (8 - place)) ? letter : '-'))
  return (lead || '-') + letters.join('')
}

/** RFC 3339 in UTC with as many digits of the second as there are: `2026-04-03T10:14:23.805123456Z`. */
export const nanosecondTime = (sinceEpochNs: bigint): string => {
  const seconds = sinceEpochNs / 1_000_000_000n - (sinceEpochNs % 1_000_000_000n < 0n ? 1n : 0n)
  const nanoseconds = sinceEpochNs - seconds * 1_000_000_000n
  const fraction = String(nanoseconds).padStart(9, '0').replace(/0+$/, '')
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, -5)
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`
}
