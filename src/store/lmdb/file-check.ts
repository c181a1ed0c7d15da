/**
 * A look at the database file before it is mapped: reading past the end of a file that was cut off would end the
 * process without a word.
 *
 * The first two pages each begin with a meta record; the one of the later transaction counts, and says how many pages
 * there are. (LMDB's own layout as lmdb-js 3 writes it: a page header of 24 bytes, then the record.)
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const MAGIC = 0xbeefc0de
const META = 24
const PAGE_SIZE_AT = META + 24
const LAST_PAGE_AT = META + 120
const TRANSACTION_AT = META + 128
const SMALLEST_PAGE = 4096

/** @throws when the file at `path` cannot be a whole database; an absent one is a new one */
export const checkFile = (path: string): void => {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    const size = fstatSync(file).size
    const first = Buffer.alloc(SMALLEST_PAGE)
    if (readSync(file, first, 0, SMALLEST_PAGE, 0) < SMALLEST_PAGE || first.readUInt32LE(META) !== MAGIC) {
      throw new Error('the file is damaged: it does not begin as a database does')
    }
    const pageSize = first.readUInt32LE(PAGE_SIZE_AT)
    const second = Buffer.alloc(SMALLEST_PAGE)
    const hasSecond =
      readSync(file, second, 0, SMALLEST_PAGE, pageSize) === SMALLEST_PAGE &&
      second.readUInt32LE(META) === MAGIC
    const meta = hasSecond && transaction(second) > transaction(first) ? second : first
    const needed = (Number(meta.readBigUInt64LE(LAST_PAGE_AT)) + 1) * pageSize
    if (!hasSecond || size < needed) {
      throw new Error(`the file is damaged: it has ${size} bytes of ${needed}`)
    }
  } finally {
    closeSync(file)
  }
}

const transaction = (meta: Buffer): bigint => meta.readBigUInt64LE(TRANSACTION_AT)
