/**
 * A look at the database file before it is mapped: reading past the end of a file that was cut off, or a page that
 * makes no sense, would end the process without a word.
 *
 * The first two pages each begin with a meta record, written by turns; half a page after the first one is a third, of
 * the last transaction that is known to be synced. Which of them LMDB opens hangs on whether the machine has been
 * started since: what was not synced is whole after a crash, and may be anything after a power cut. The same one is
 * chosen here. (LMDB's own layout as lmdb-js 3 writes it: a page header of 24 bytes, then the record.)
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { checkPages } from './page-check.ts'
import { damaged, FLAGS_AT, HEADER_BYTES, PAGE, type Snapshot, treeAt, u64 } from './pages.ts'

const MAGIC = 0xbeefc0de
const META_BYTES = 144
const SMALLEST_PAGE = 4096
const LARGEST_PAGE = 65_536
/** Flag of a meta record whose transaction was not synced yet when it was written. */
const UNSYNCED = 0x1000

interface Meta extends Snapshot {
  readonly isSynced: boolean
  /** The start of the machine that it was written in; 0 where that is not known. */
  readonly boot: bigint
}

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
    checkPages(file, openedMeta(file))
  } finally {
    closeSync(file)
  }
}

/** The meta record that LMDB opens. */
const openedMeta = (file: number): Meta => {
  const first = metaPage(file, 0, SMALLEST_PAGE)
  const { pageSize } = first
  if (pageSize < SMALLEST_PAGE || pageSize > LARGEST_PAGE || (pageSize & (pageSize - 1)) !== 0)
    throw damaged(`it has pages of ${pageSize} bytes`)
  const second = metaPage(file, 1, pageSize)
  const synced = metaAt(file, pageSize / 2)
  const boot = thisBoot()
  const safe = safer(safer(first, second, boot), synced, boot)
  const newest = first.transaction >= second.transaction ? first : second
  const opened = safe.transaction === newest.transaction ? newest : safe
  return { ...opened, pageSize }
}

/** LMDB's choice between two. */
const safer = (a: Meta, b: Meta, boot: bigint): Meta => {
  if (b.transaction === 0) return a
  const newer = a.transaction >= b.transaction ? a : b
  if (newer.isSynced || (newer.boot !== 0n && newer.boot === boot)) return newer
  return a.transaction > b.transaction ? b : a
}

const metaPage = (file: number, number: number, pageSize: number): Meta => {
  const start = Buffer.alloc(HEADER_BYTES + 4)
  const read = readSync(file, start, 0, start.length, number * pageSize)
  const isMeta =
    read === start.length &&
    u64(start, 0) === number &&
    start.readUInt16LE(FLAGS_AT) === PAGE.meta &&
    start.readUInt32LE(HEADER_BYTES) === MAGIC
  if (!isMeta) throw damaged('it does not begin as a database does')
  return metaAt(file, number * pageSize)
}

/** Reads a meta record: 24 the tree of free pages, 72 the main tree, 120 last page u64, 128 transaction u64, 136 boot. */
const metaAt = (file: number, at: number): Meta => {
  const meta = Buffer.alloc(META_BYTES)
  readSync(file, meta, 0, META_BYTES, at + HEADER_BYTES)
  return {
    // The tree of free pages has a field for it.
    pageSize: meta.readUInt32LE(24),
    isSynced: (meta.readUInt16LE(28) & UNSYNCED) === 0,
    free: treeAt(meta, 24),
    main: treeAt(meta, 72),
    lastPage: u64(meta, 120),
    transaction: u64(meta, 128),
    boot: meta.readBigInt64LE(136),
  }
}

/** As LMDB names it on Linux; elsewhere 0, and what was synced is checked, whatever came after it. */
const thisBoot = (): bigint => {
  try {
    return BigInt(`0x${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)}`)
  } catch {
    return 0n
  }
}
