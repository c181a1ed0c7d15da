/**
 * What an agent is answered takes the place of what it knows: a long text keeps its beginning and its end, a long list its
 * beginning, each shorter until the whole fits.
 */
import type { Json, JsonObject } from '../../domain/json.ts'

/** Of an answer, in UTF-16 units of its JSON: some six thousand tokens. */
export const MOST_CHARS = 24_000
const SHORTEST_TEXT = 60
const MOST_ITEMS = 100
const FEWEST_ITEMS = 2
/** What lies deeper is left out. */
const MOST_LEVELS = 16
const FEWEST_LEVELS = 3

export interface Fitted {
  readonly value: Json
  readonly isCut: boolean
}

/** Each halves its way down to its least; how deep it goes, last of all. */
interface Bounds {
  readonly text: number
  readonly items: number
  readonly levels: number
}

/**
 * @param given the keys of an object are kept all of them, those of what it holds are not
 * @param mostChars of the JSON; a little more where so much is said in small pieces
 */
export const fit = (given: Json, mostChars: number): Fitted => {
  for (let bounds: Bounds = { text: mostChars, items: MOST_ITEMS, levels: MOST_LEVELS }; ; ) {
    const cutter = new Cutter(bounds)
    const value = cutter.cut(given, 0)
    const { text, items, levels } = bounds
    const isLeast = text <= SHORTEST_TEXT && levels === FEWEST_LEVELS
    if (isLeast || JSON.stringify(value).length <= mostChars) return { value, isCut: cutter.hasCut }
    bounds = {
      text: Math.max(SHORTEST_TEXT, text / 2),
      items: Math.max(FEWEST_ITEMS, items / 2),
      levels: items > FEWEST_ITEMS ? levels : Math.max(FEWEST_LEVELS, levels - 4),
    }
  }
}

/** @param most so many characters are kept, and a note in their midst */
export const cutText = (text: string, most: number): string => {
  if (text.length <= most) return text
  const head = characterAt(text, Math.floor(most / 2))
  const tail = characterAt(text, text.length - Math.floor(most / 2))
  return `${text.slice(0, head)}…[${tail - head} characters left out]…${text.slice(tail)}`
}

/** Not in the midst of a character that takes two units. */
export const characterAt = (text: string, at: number): number => {
  const unit = text.charCodeAt(at)
  return unit >= 0xdc00 && unit < 0xe000 ? at + 1 : at
}

class Cutter {
  readonly #bounds: Bounds
  hasCut = false

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  cut(value: Json, level: number): Json {
    if (typeof value === 'string') return this.#text(value)
    if (typeof value !== 'object' || value === null) return value
    if (level > this.#bounds.levels) {
      this.hasCut = true
      return '…[left out: nested too deep]…'
    }
    return Array.isArray(value) ? this.#list(value, level + 1) : this.#object(value as JsonObject, level + 1)
  }

  #text(text: string): string {
    const { text: most } = this.#bounds
    if (text.length > most) this.hasCut = true
    return cutText(text, most)
  }

  #list(list: readonly Json[], level: number): Json[] {
    const { items } = this.#bounds
    const kept = list.slice(0, items).map((item) => this.cut(item, level))
    if (list.length <= kept.length) return kept
    this.hasCut = true
    return [...kept, `…[${list.length - kept.length} more left out]…`]
  }

  #object(object: JsonObject, level: number): JsonObject {
    const entries = Object.entries(object)
    const kept = entries
      .slice(0, level === 1 ? entries.length : this.#bounds.items)
      .map(([key, value]) => [this.#text(key), this.cut(value, level)] as const)
    if (entries.length > kept.length) {
      this.hasCut = true
      kept.push(['…', `[${entries.length - kept.length} more left out]`])
    }
    return Object.fromEntries(kept)
  }
}
