/**
 * The layout of a database file, as far as it is checked before LMDB maps it: that of 64-bit LMDB 0.9.90, as lmdb-js 3
 * brings it. Numbers of eight bytes are read as JavaScript's: above 2^53 they are inexact, and beyond every page.
 */
import { readSync } from 'node:fs'

/** A page's header: 0 number u64 · 8 transaction u64 · 18 flags u16 · 20 what hangs on its kind. */
export const HEADER_BYTES = 24
export const FLAGS_AT = 18

/** Kinds of pages, in their flags. */
export const PAGE = { branch: 0x01, leaf: 0x02, overflow: 0x04, meta: 0x08 } as const

/** A page in memory; `words` are its bytes in twos. */
export interface Page {
  number: number
  readonly bytes: Buffer
  readonly words: Uint16Array
}

/** What the record of a tree says. */
export interface Tree {
  readonly depth: number
  readonly branches: number
  readonly leaves: number
  readonly overflows: number
  readonly entries: number
  /** Beyond every page where the tree is empty. */
  readonly root: number
}

export const TREE_BYTES = 48

export const treeAt = (bytes: Buffer, at: number): Tree => ({
  depth: bytes.readUInt16LE(at + 6),
  branches: u64(bytes, at + 8),
  leaves: u64(bytes, at + 16),
  overflows: u64(bytes, at + 24),
  entries: u64(bytes, at + 32),
  root: u64(bytes, at + 40),
})

/** What a meta record says of the database. */
export interface Snapshot {
  readonly pageSize: number
  readonly lastPage: number
  readonly transaction: number
  /** The tree of lists of free pages. */
  readonly free: Tree
  /** The tree of tables. */
  readonly main: Tree
}

export const u64 = (bytes: Buffer, at: number): number =>
  bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32

export const damaged = (what: string): Error => new Error(`the file is damaged: ${what}`)

/** A read that takes longer comes from the disk. */
const SLOW_MS = 0.05
const AROUND_BYTES = 128 * 1024

/**
 * Reads of a file, each for itself: most of it is never needed. Where the system has to ask the disk, it is made to read
 * on: what lies around will be wanted soon, and a disk gives it as fast as one page.
 */
export class FileReader {
  readonly #file: number
  readonly #around = Buffer.alloc(AROUND_BYTES)

  constructor(file: number) {
    this.#file = file
  }

  /** Fills `bytes` with what is at a place of the file. */
  read(bytes: Buffer, position: number): void {
    const startedMs = performance.now()
    readSync(this.#file, bytes, 0, bytes.length, position)
    if (performance.now() - startedMs > SLOW_MS)
      readSync(this.#file, this.#around, 0, AROUND_BYTES, position - (position % AROUND_BYTES))
  }
}
