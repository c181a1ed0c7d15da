/** One file of the journal: what a record and the file's head look like, and the reading and writing of them. */
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { RECORD_HEAD_BYTES } from './entries.ts'

export const HEADER_BYTES = 64
const EPOCH_AT = 56
/** A file is made this long, and longer ones are cut to it where they can be. */
export const FILE_BYTES = 1024 * 1024
/** Past this the other file is written, where it may be. */
export const SWITCH_BYTES = 4 * 1024 * 1024
const MAGIC = 0x31_4a_58_45

const syncFile = promisify(fdatasync)

export interface Segment {
  readonly file: number
  /** Where the next record goes. */
  end: number
  /** How long the file is. */
  size: number
  /** The number of its last record, 0 for none. */
  last: number
  /** Not synced since the last record. */
  isDirty: boolean
}

export const numberOf = (record: Buffer): number => record.readDoubleLE(8)

const checksum = (record: Buffer, epoch: number): number =>
  crc32(record.subarray(RECORD_HEAD_BYTES), crc32(record.subarray(0, 16), epoch))

export const seal = (record: Buffer, number: number, epoch: number): void => {
  record.writeUInt32LE(MAGIC, 0)
  record.writeUInt32LE(record.length, 4)
  record.writeDoubleLE(number, 8)
  record.writeUInt32LE(checksum(record, epoch), 16)
  record.writeUInt32LE(0, 20)
}

export const syncSegment = async (segment: Segment): Promise<void> => {
  if (!segment.isDirty) return
  segment.isDirty = false
  try {
    await syncFile(segment.file)
  } catch (error) {
    segment.isDirty = true
    throw error
  }
}

export const spoil = ({ file, end }: Segment): void => {
  try {
    writeSync(file, Buffer.alloc(RECORD_HEAD_BYTES), 0, RECORD_HEAD_BYTES, end)
  } catch {
    // The disk takes nothing at all: the next record takes its place, or it is torn.
  }
}

export const writeAll = (file: number, bytes: Buffer, at: number): void => {
  for (let done = 0; done < bytes.length; )
    done += writeSync(file, bytes, done, bytes.length - done, at + done)
}

const headerOf = (databaseId: string, epoch: number): Buffer => {
  const header = Buffer.alloc(HEADER_BYTES)
  header.write(databaseId, 'latin1')
  header.writeUInt32LE(epoch, EPOCH_AT)
  return header
}

export const openSegment = (path: string, databaseId: string, epoch: number): Segment => {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  const found = fstatSync(file).size
  writeAll(file, headerOf(databaseId, epoch), 0)
  if (found > SWITCH_BYTES * 2) ftruncateSync(file, FILE_BYTES)
  if (found < FILE_BYTES) {
    writeAll(file, Buffer.alloc(FILE_BYTES - HEADER_BYTES), HEADER_BYTES)
    fsyncSync(file)
  }
  return { file, end: HEADER_BYTES, size: fstatSync(file).size, last: 0, isDirty: false }
}

/** So that the names of new files survive the machine, where the system can do that. */
export const syncDirectory = (path: string): void => {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    closeSync(directory)
  }
}

/** The records of a file, in order, up to the first that is torn. */
export const recordsIn = (path: string, databaseId: string): Buffer[] => {
  const bytes = readWhole(path)
  const records: Buffer[] = []
  if (bytes.length < HEADER_BYTES) return records
  const epoch = bytes.readUInt32LE(EPOCH_AT)
  if (!bytes.subarray(0, HEADER_BYTES).equals(headerOf(databaseId, epoch))) return records
  for (let at = HEADER_BYTES; at + RECORD_HEAD_BYTES <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4)
    if (bytes.readUInt32LE(at) !== MAGIC || length < RECORD_HEAD_BYTES || at + length > bytes.length) break
    const record = bytes.subarray(at, at + length)
    if (checksum(record, epoch) !== record.readUInt32LE(16)) break
    records.push(record)
    at += length
  }
  return records
}

const readWhole = (path: string): Buffer => {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}
