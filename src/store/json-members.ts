/**
 * The members of one large JSON object, one by one, from a stream of bytes: each member is cut out by its braces and
 * strings alone and then read by JSON.parse, so that only one of them is in memory at a time.
 */
import type { Json } from '../domain/json.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c

const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)

/** Yields `[name, value]` of each member. Throws with `name` of the source and the byte where it is no JSON object. */
export async function* membersOf(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<[string, Json]> {
  let depth = 0
  let isInString = false
  let isEscaped = false
  let isOver = false
  /** Where the chunk under way begins. */
  let at = 0
  /** Bytes of the member under way that came in earlier chunks. */
  let parts: Uint8Array[] = []
  const damaged = (what: string, byte: number): Error =>
    new Error(
      `${name} is damaged: ${what} at byte ${byte}. Restore it from a backup, or move it away to start empty`,
    )
  const member = (end: number): [string, Json] | null => {
    const text = Buffer.concat(parts).toString('utf8').trim()
    parts = []
    if (text === '') return null
    try {
      const [entry] = Object.entries(JSON.parse(`{${text}}`) as Record<string, Json>)
      return entry ?? null
    } catch (error) {
      throw damaged(error instanceof Error ? error.message : 'bad JSON', end)
    }
  }

  for await (const chunk of source) {
    let start = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!
      if (isInString) {
        if (isEscaped) isEscaped = false
        else if (byte === BACKSLASH) isEscaped = true
        else if (byte === QUOTE) isInString = false
        continue
      }
      if (depth === 0) {
        if (isSpace(byte)) continue
        if (byte !== OPEN_BRACE || isOver) throw damaged('expected one JSON object', at + i)
        depth = 1
        start = i + 1
      } else if (byte === QUOTE) isInString = true
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
      else if (byte === CLOSE_BRACKET) {
        if (--depth === 0) throw damaged('a bracket that was not opened', at + i)
      } else if (byte === CLOSE_BRACE || (byte === COMMA && depth === 1)) {
        if (byte === CLOSE_BRACE) depth--
        if (byte === CLOSE_BRACE && depth > 0) continue
        parts.push(chunk.slice(start, i))
        start = i + 1
        const found = member(at + i)
        if (found !== null) yield found
        isOver = depth === 0
      }
    }
    if (depth > 0) parts.push(chunk.slice(start))
    at += chunk.length
  }
  if (!isOver) throw damaged('the file ends too early', at)
}
