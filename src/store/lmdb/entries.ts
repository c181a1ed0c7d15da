/**
 * What a group of commits writes, entry by entry: into the journal first, and into the tables a moment later.
 *
 * ```
 * record  0 magic u32 · 4 length u32 (of all) · 8 number f64 · 16 crc u32 (of all but these four bytes) · 20 unused
 * entry   0 table u8 · 1 is removal u8 · 4 length of key u32 · 8 length of value u32 · 16 key (f64, or text) · value
 * ```
 *
 * Everything begins at a multiple of eight; numbers are in the machine's own byte order, here little-endian.
 */
import { asBinary, type Database, type Key } from 'lmdb'
import { part, type Tables } from './database.ts'

/** The tables that a group writes. Their places in this list are the format of the journal. */
const TABLES = [
  'accepts',
  'starts',
  'heads',
  'batches',
  'graphs',
  'answers',
  'handles',
  'gone',
  'events',
] as const
export type TableName = (typeof TABLES)[number]

export interface Entry {
  readonly table: TableName
  /** For `gone`: `<accept number>:<key>`, or the accept record of which all that was noted goes. */
  readonly key: number | string
  /** `null` removes what is there. */
  readonly value: Buffer | null
}

export const RECORD_HEAD_BYTES = 24
const ENTRY_HEAD_BYTES = 16

/** Room for `bytes` bytes, so that what follows begins at a multiple of eight. */
export const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8

/** Writes what comes before the value. @returns where the value begins */
export const writeEntryHead = (
  bytes: Buffer,
  at: number,
  {
    table,
    key,
    isRemoval,
  }: { readonly table: TableName; readonly key: number | string; readonly isRemoval: boolean },
): number => {
  bytes.fill(0, at, at + ENTRY_HEAD_BYTES)
  bytes[at] = TABLES.indexOf(table)
  bytes[at + 1] = isRemoval ? 1 : 0
  const keyAt = at + ENTRY_HEAD_BYTES
  if (typeof key === 'number') {
    bytes.writeDoubleLE(key, keyAt)
    return keyAt + 8
  }
  const length = bytes.write(key, keyAt)
  bytes.writeUInt32LE(length, at + 4)
  return keyAt + padded(length)
}

/** Notes the length of the value, once it is known. */
export const setValueLength = (bytes: Buffer, at: number, length: number): void => {
  bytes.writeUInt32LE(length, at + 8)
}

/** Most bytes that the head of an entry takes. */
export const entryHeadBytes = (key: number | string): number =>
  ENTRY_HEAD_BYTES + (typeof key === 'number' ? 8 : padded(key.length * 3))

/** The entries of a record that was read back. */
export const entriesIn = (record: Buffer): Entry[] => {
  const entries: Entry[] = []
  for (let at = RECORD_HEAD_BYTES; at < record.length; ) {
    const table = TABLES[record[at]!]
    if (table === undefined) throw new Error(`the journal names a table ${record[at]}, which is not known`)
    const isRemoval = record[at + 1] === 1
    const keyLength = record.readUInt32LE(at + 4)
    const valueLength = record.readUInt32LE(at + 8)
    const keyAt = at + ENTRY_HEAD_BYTES
    const key =
      keyLength === 0 ? record.readDoubleLE(keyAt) : record.toString('utf8', keyAt, keyAt + keyLength)
    const valueAt = keyAt + (keyLength === 0 ? 8 : padded(keyLength))
    entries.push({ table, key, value: isRemoval ? null : record.subarray(valueAt, valueAt + valueLength) })
    at = valueAt + padded(valueLength)
  }
  return entries
}

/** How a task had ended whose record is gone. */
export const goneKey = (accept: number, key: number): string => `${accept}:${key}`

/** Writes the entry into its table, within an asynchronous transaction, which tells whether it was written. */
export const putEntry = (tables: Tables, entry: Entry): void => {
  forEntry(
    tables,
    entry,
    (table, key, value) => part(table.put(key, value)),
    (table, key) => part(table.remove(key)),
  )
}

/** The same within a synchronous one. @throws where it cannot be written */
export const putEntrySync = (tables: Tables, entry: Entry): void => {
  forEntry(
    tables,
    entry,
    (table, key, value) => table.putSync(key, value),
    (table, key) => table.removeSync(key),
  )
}

type AnyTable = Database<unknown, Key>

const forEntry = (
  tables: Tables,
  { table, key, value }: Entry,
  put: (table: AnyTable, key: Key, value: unknown) => void,
  remove: (table: AnyTable, key: Key) => void,
): void => {
  if (table !== 'gone') {
    const database = tables[table] as unknown as AnyTable
    if (value === null) remove(database, key)
    else put(database, key, asBinary(value))
    return
  }
  const gone = tables.gone as unknown as AnyTable
  if (typeof key === 'string') {
    put(gone, key.split(':').map(Number), value![0])
    return
  }
  const noted = [...tables.gone.getKeys({ start: [key, 0], end: [key + 1, 0] })]
  for (const each of noted) remove(gone, each)
}
