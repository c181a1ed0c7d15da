/**
 * What the list of tasks is filtered by beside status and graph, as far as this process has seen it: the type and the
 * tool of a task as one byte, and between which ids those of 256 neighbours lie. Nothing of it is on disk: a task of an
 * earlier run is not known until a filter had its text read.
 */

/** A task whose text was not read. */
export const UNKNOWN = 0
/** One of a type and a tool that came when there was no code left: its text says which. */
const OTHER = 255

/** The codes of pairs of a type and a tool: few, as far as anybody has seen. */
export class Kinds {
  readonly #codes = new Map<string, Map<string, number>>()
  #last = UNKNOWN
  // Neighbours mostly share theirs.
  #type = ''
  #tool = ''
  #code = OTHER

  /** From 1 on. @param tool `''` for none */
  codeOf(type: string, tool: string): number {
    if (tool === this.#tool && type === this.#type) return this.#code
    this.#code = this.#codes.get(type)?.get(tool) ?? this.#newCode(type, tool)
    this.#type = type
    this.#tool = tool
    return this.#code
  }

  /**
   * By code, 0 where no task of it is asked for. One that is given later counts as asked for.
   * @param type `null` for any
   * @param tool `''` for any
   */
  asked(type: string | null, tool: string): Uint8Array {
    const asked = new Uint8Array(OTHER + 1).fill(1)
    for (const [known, tools] of this.#codes)
      for (const [name, code] of tools)
        if ((type !== null && known !== type) || (tool !== '' && name !== tool)) asked[code] = 0
    return asked
  }

  #newCode(type: string, tool: string): number {
    if (this.#last + 1 === OTHER) return OTHER
    const code = ++this.#last
    const tools = this.#codes.get(type) ?? new Map<string, number>()
    // What was cut out of a text keeps all of that.
    this.#codes.set(copyOf(type), tools.set(copyOf(tool), code))
    return code
  }
}

const BLOCK_BITS = 8
export const BLOCK_KEYS = 1 << BLOCK_BITS

/** The smallest and the largest id of each block of neighbours, by UTF-16 units; tasks that go leave them as they are. */
export class IdRanges {
  readonly #smallest: (string | null)[]
  readonly #largest: (string | null)[]
  readonly #unknown: Uint16Array

  constructor(keys: number) {
    const blocks = keys >> BLOCK_BITS
    this.#smallest = new Array<string | null>(blocks).fill(null)
    this.#largest = new Array<string | null>(blocks).fill(null)
    this.#unknown = new Uint16Array(blocks)
  }

  /** Notes the id of the task at a place. */
  widen(at: number, id: string): void {
    const block = at >> BLOCK_BITS
    const largest = this.#largest[block]!
    // Ids mostly rise.
    if (largest === null) {
      this.#smallest[block] = id
      this.#largest[block] = id
    } else if (id > largest) this.#largest[block] = id
    else if (id < this.#smallest[block]!) this.#smallest[block] = id
  }

  /** There is one task more, or less, at a place whose id was not seen. */
  countUnknown(at: number, change: 1 | -1): void {
    this.#unknown[at >> BLOCK_BITS]! += change
  }

  /** Whether an id in the block of a place may begin with this. */
  mayHold(at: number, prefix: string): boolean {
    const block = at >> BLOCK_BITS
    if (this.#unknown[block]! > 0) return true
    const largest = this.#largest[block]!
    if (largest === null || largest < prefix) return false
    const smallest = this.#smallest[block]!
    return smallest <= prefix || smallest.startsWith(prefix)
  }
}

/** Not a part of a larger text. */
const copyOf = (text: string): string => JSON.parse(JSON.stringify(text)) as string
