/** What a tool of an MCP server answered, as the result of a task. */
import type { CallToolResult } from '@modelcontextprotocol/client'
import { isDeeperThan } from '../../src/domain/json-depth.ts'
import type { Json, JsonObject } from '../../src/domain/json.ts'
import { BoundedOutput } from '../process/bounded-output.ts'
import { done, fail, type ToolResult } from '../tools/tool.ts'

const MAX_ERROR_BYTES = 4096
/** As in what clients send: many cannot read what is nested much deeper, and no list that it is in. */
const MAX_LEVELS = 64

/** Its beginning and its end, where it is longer. */
const shortened = (text: string, maxBytes: number): { text: string; truncatedBytes: number } => {
  const output = new BoundedOutput(maxBytes)
  output.append(Buffer.from(text))
  return output.finish()
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

type Block = CallToolResult['content'][number]

/** `block` in at most so many bytes of JSON: a text loses its middle, anything else whatever is not its kind. */
const cut = (block: Block, maxBytes: number): JsonObject => {
  if (block.type !== 'text') return { type: block.type, truncated_bytes: bytesOf(block) }
  // A character may take six bytes in JSON: asked again with less where it does.
  for (let room = maxBytes; ; room = Math.floor(room / 2)) {
    const { text, truncatedBytes } = shortened(block.text, room)
    const short = { type: 'text', text, truncated_bytes: truncatedBytes }
    if (room === 0 || bytesOf(short) <= maxBytes) return short
  }
}

/** Blocks in their order, as long as there is room for them. */
const boundedContent = (content: readonly Block[], maxBytes: number): { kept: Json[]; left: number } => {
  let left = maxBytes
  const kept: Json[] = []
  for (const [at, block] of content.entries()) {
    const whole = bytesOf(block)
    const isKept = whole <= left && !isDeeperThan(block, MAX_LEVELS)
    const shown = isKept ? (block as Json) : cut(block, left)
    left -= isKept ? whole : bytesOf(shown)
    if (left < 0) {
      kept.push({ type: 'truncated', blocks: content.length - at })
      break
    }
    kept.push(shown)
  }
  return { kept, left }
}

interface Bounded {
  readonly output: JsonObject
  /** Bytes of JSON that were left out, 0 for none. */
  readonly truncatedBytes: number
}

/** `content`, and `structuredContent` where there is one: in at most `limitBytes` of JSON, or little more. */
const boundedOutput = ({ content, structuredContent }: CallToolResult, limitBytes: number): Bounded => {
  const output = {
    content,
    ...(structuredContent === undefined ? {} : { structuredContent }),
  } as unknown as JsonObject
  const whole = bytesOf(output)
  if (whole <= limitBytes && !isDeeperThan(output, MAX_LEVELS)) return { output, truncatedBytes: 0 }
  // A part of what is structured would be something else: it stays whole, or goes.
  const structuredBytes = structuredContent === undefined ? 0 : bytesOf(structuredContent)
  const keepsStructured =
    structuredContent !== undefined &&
    structuredBytes <= limitBytes / 2 &&
    !isDeeperThan(structuredContent, MAX_LEVELS)
  const { kept } = boundedContent(content, limitBytes - (keepsStructured ? structuredBytes : 0))
  const short: JsonObject = {
    content: kept,
    ...(keepsStructured ? { structuredContent: structuredContent as Json } : {}),
  }
  return { output: short, truncatedBytes: whole - bytesOf(short) }
}

const textOf = (content: readonly Block[]): string =>
  content
    .flatMap((block) => (block.type === 'text' ? [block.text] : []))
    .join('\n')
    .trim()

/** @param limitBytes most bytes that the output keeps */
export const resultOf = (
  server: string,
  tool: string,
  answer: CallToolResult,
  limitBytes: number,
): ToolResult => {
  const { output, truncatedBytes } = boundedOutput(answer, limitBytes)
  const details: JsonObject = { mcp_server: server, mcp_tool: tool }
  if (truncatedBytes > 0) details['output_truncated_bytes'] = truncatedBytes
  if (answer.isError !== true) return done(output, details)
  const said = shortened(textOf(answer.content), MAX_ERROR_BYTES).text
  return fail(said === '' ? `mcp tool ${server}/${tool} failed and did not say why` : said, {
    output,
    details,
  })
}
