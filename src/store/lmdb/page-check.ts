/**
 * A walk over the pages of a database before LMDB maps them. LMDB trusts what it reads: a page that makes no sense ends
 * the process by an assertion, or hides what lies below it.
 *
 * ```
 * meta ─► main tree ─► a record for each table ─► the table's tree ─► nodes: key and value, or key and overflow run
 *    └──► free tree ─► lists of pages that nothing needs
 * ```
 *
 * Each page of a tree is read once and has to be what its parent says; of an overflow run that is its header. What is
 * found is counted against the tree's record. Pages that are free are not read; that nothing needs them is checked.
 * There are no checksums: a byte that changed within a value is not seen.
 *
 * A branch or leaf has in its header 20 lower u16 · 22 upper u16; lower bytes of nodes' offsets follow, u16 each, and
 * from upper on the nodes, without gaps. All of these count from the header's end. A node lies at an even offset and is
 * 0 low u16 · 2 high u16 · 4 flags u16 · 6 key's length u16 · 8 key, then the value. Low and high are the value's length;
 * in a branch low, high and flags are the child's number. The first page of an overflow run has 20 pages u32.
 */
import { fstatSync } from 'node:fs'
import { KeyOrder } from './key-order.ts'
import {
  damaged,
  FileReader,
  FLAGS_AT,
  HEADER_BYTES,
  PAGE,
  type Page,
  type Snapshot,
  TREE_BYTES,
  type Tree,
  treeAt,
  u64,
} from './pages.ts'

const NODE_BYTES = 8
/** Node flags: the value is 0 first page u64 · 8 transaction u64 · 16 pages u64 of an overflow run; or a tree's record. */
const ELSEWHERE = 0x01
const RUN_BYTES = 24
const TABLE = 0x02
/** LMDB goes no deeper. */
const DEEPEST = 32

/** @throws where a page is not what it has to be, naming it */
export const checkPages = (file: number, snapshot: Snapshot): void => new Walk(file, snapshot).run()

class Walk {
  readonly #reader: FileReader
  readonly #fileBytes: number
  readonly #snapshot: Snapshot
  /** 1 for each page that something needs. */
  readonly #used: Uint8Array
  /** One for each level: a branch stays in memory while what is below it is read. */
  readonly #pages: Page[] = []
  readonly #header = Buffer.alloc(HEADER_BYTES)
  readonly #tables = new Map<string, Tree>()
  readonly #freeLists: Buffer[] = []
  #tree: Tree
  #found = { entries: 0, branches: 0, leaves: 0, overflows: 0 }
  #keys: KeyOrder

  constructor(file: number, snapshot: Snapshot) {
    this.#reader = new FileReader(file)
    this.#fileBytes = fstatSync(file).size
    this.#snapshot = snapshot
    this.#used = new Uint8Array(
      Math.min(snapshot.lastPage + 1, Math.ceil(this.#fileBytes / snapshot.pageSize)),
    )
    this.#tree = snapshot.main
    this.#keys = new KeyOrder(false)
  }

  run(): void {
    const { main, free } = this.#snapshot
    this.#walk('of tables', main)
    for (const [name, tree] of this.#tables) this.#walk(name, tree)
    this.#walk('of free pages', free)
    for (const list of this.#freeLists) this.#checkFree(list)
  }

  #walk(name: string, tree: Tree): void {
    this.#tree = tree
    this.#found = { entries: 0, branches: 0, leaves: 0, overflows: 0 }
    this.#keys = new KeyOrder(this.#isFree)
    if (tree.depth > DEEPEST || (tree.depth === 0 && tree.root <= this.#snapshot.lastPage))
      throw damaged(`table ${name} has a root ${tree.root} and a depth of ${tree.depth}`)
    if (tree.depth > 0) this.#visit(tree.root, 1)
    for (const what of ['entries', 'branches', 'leaves', 'overflows'] as const)
      if (this.#found[what] !== tree[what])
        throw damaged(`table ${name} has ${this.#found[what]} ${what} of ${tree[what]}`)
  }

  get #isFree(): boolean {
    return this.#tree === this.#snapshot.free
  }

  /** Checks a page and all that is below it. */
  #visit(number: number, level: number): void {
    const isLeaf = level === this.#tree.depth
    const page = this.#read(number, level, isLeaf ? PAGE.leaf : PAGE.branch)
    const { words } = page
    const { pageSize } = this.#snapshot
    const [lower, upper] = [words[10]!, words[11]!]
    const count = lower / 2
    // LMDB has a branch of one child in the free tree only.
    const least = isLeaf || this.#isFree ? 1 : 2
    if (lower % 2 !== 0 || lower > upper || HEADER_BYTES + upper > pageSize || count < least)
      throw damaged(`page ${number} has impossible bounds`)
    this.#found[isLeaf ? 'leaves' : 'branches']++
    let bytes = 0
    for (let at = 0; at < count; at++) {
      const offset = words[HEADER_BYTES / 2 + at]!
      const node = HEADER_BYTES + offset
      if (offset % 2 !== 0 || offset < upper || node + NODE_BYTES > pageSize)
        throw damaged(`page ${number} has a node outside of it`)
      const size = NODE_BYTES + keyLength(words, node) + (isLeaf ? bytesOfValue(words, node) : 0)
      if (node + size > pageSize) throw damaged(`page ${number} has a node longer than it`)
      bytes += size + (size % 2)
      // The first key of a branch is never looked at, and may be none.
      if (isLeaf || at > 0) this.#keys.check(page, node + NODE_BYTES, keyLength(words, node), !isLeaf)
      if (isLeaf) this.#visitNode(page, node)
      else this.#visit(low32(words, node) + flagsOf(words, node) * 2 ** 32, level + 1)
    }
    if (HEADER_BYTES + upper + bytes !== pageSize) throw damaged(`page ${number} has gaps between its nodes`)
    if (isLeaf) this.#keys.keep()
  }

  /** A node of a leaf. */
  #visitNode({ number, bytes, words }: Page, node: number): void {
    this.#found.entries++
    const flags = flagsOf(words, node)
    const key = node + NODE_BYTES
    const value = key + keyLength(words, node)
    const size = low32(words, node)
    if (flags === TABLE && this.#tree === this.#snapshot.main && size === TREE_BYTES) {
      // lmdb-js ends names by a zero.
      this.#tables.set(bytes.toString('utf8', key, value).replace('\0', ''), treeAt(bytes, value))
      return
    }
    if (flags !== 0 && flags !== ELSEWHERE) throw damaged(`page ${number} has a node of no known kind`)
    const run = flags === ELSEWHERE ? this.#checkRun(number, bytes, value, size) : 0
    if (!this.#isFree) return
    if (run > 0) this.#freeLists.push(this.#fill(Buffer.alloc(size), run, HEADER_BYTES))
    else this.#freeLists.push(Buffer.from(bytes.subarray(value, value + size)))
  }

  /** Checks the overflow run that a node names, and returns its first page. */
  #checkRun(number: number, bytes: Buffer, at: number, size: number): number {
    const { pageSize, lastPage } = this.#snapshot
    const [first, transaction, pages] = [u64(bytes, at), u64(bytes, at + 8), u64(bytes, at + 16)]
    if (pages * pageSize < HEADER_BYTES + size || first + pages - 1 > lastPage)
      throw damaged(`page ${number} names an overflow run that cannot be`)
    for (let page = first; page < first + pages; page++) this.#take(page)
    const header = this.#fill(this.#header, first, 0)
    const isRight =
      u64(header, 0) === first &&
      // In a compact copy all are said to be of the first transaction; the headers are as they were.
      (u64(header, 8) === transaction || transaction === 1) &&
      header.readUInt16LE(FLAGS_AT) === PAGE.overflow &&
      header.readUInt32LE(20) === pages
    if (!isRight) throw damaged(`page ${first} is not the overflow run that page ${number} names`)
    this.#found.overflows += pages
    return first
  }

  /**
   * A list of free pages: how many numbers follow, then those, signed. 0 is none; one below 0 says how many pages there
   * are from the next number on. LMDB would write over a page that is listed and needed.
   */
  #checkFree(list: Buffer): void {
    const { lastPage } = this.#snapshot
    const count = list.length < 8 ? Number.POSITIVE_INFINITY : u64(list, 0)
    if ((count + 1) * 8 > list.length) throw damaged('a list of free pages is cut off')
    for (let at = 1, pages = 1; at <= count; at++) {
      const entry = Number(list.readBigInt64LE(at * 8))
      if (entry <= 0) {
        pages = Math.max(1, -entry)
        continue
      }
      if (entry < 2 || entry + pages - 1 > lastPage) throw damaged(`page ${entry} is listed as free`)
      for (let page = entry; page < entry + pages; page++)
        if (this.#used[page] === 1) throw damaged(`page ${page} is needed and listed as free`)
      pages = 1
    }
  }

  #read(number: number, level: number, kind: number): Page {
    this.#take(number)
    let page = this.#pages[level]
    if (page === undefined) {
      const bytes = Buffer.from(new ArrayBuffer(this.#snapshot.pageSize))
      page = { number, bytes, words: new Uint16Array(bytes.buffer) }
      this.#pages[level] = page
    }
    page.number = number
    this.#fill(page.bytes, number, 0)
    if (u64(page.bytes, 0) !== number || page.words[FLAGS_AT / 2] !== kind)
      throw damaged(`page ${number} is not the page that its tree needs`)
    if (u64(page.bytes, 8) > this.#snapshot.transaction)
      throw damaged(`page ${number} is of a later transaction`)
    return page
  }

  /**
   * Notes that something needs a page, which nothing else may. The file may be shorter than all of its pages are: LMDB
   * counts some at the end that it never wrote, and nothing needs.
   */
  #take(number: number): void {
    const { lastPage, pageSize } = this.#snapshot
    if (!(number >= 2 && number <= lastPage)) throw damaged(`there is no page ${number}`)
    if (this.#used[number] === 1) throw damaged(`page ${number} is needed twice`)
    const end = (number + 1) * pageSize
    if (end > this.#fileBytes) throw damaged(`it has ${this.#fileBytes} bytes, page ${number} ends at ${end}`)
    this.#used[number] = 1
  }

  /** Reads from a page that was taken. */
  #fill(bytes: Buffer, number: number, from: number): Buffer {
    this.#reader.read(bytes, number * this.#snapshot.pageSize + from)
    return bytes
  }
}

const low32 = (words: Uint16Array, node: number): number => words[node / 2]! + words[node / 2 + 1]! * 65_536

const flagsOf = (words: Uint16Array, node: number): number => words[node / 2 + 2]!

const keyLength = (words: Uint16Array, node: number): number => words[node / 2 + 3]!

/** What a value takes in its leaf. */
const bytesOfValue = (words: Uint16Array, node: number): number =>
  flagsOf(words, node) === ELSEWHERE ? RUN_BYTES : low32(words, node)
