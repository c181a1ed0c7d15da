/** The fenced blocks of a Markdown page, and whether an answer is the one that the page prints. */

interface Block {
  /** The fence's first word: `bash`, `json` … */
  readonly language: string
  /** The rest of the fence's line. */
  readonly flags: readonly string[]
  readonly text: string
  readonly line: number
}

/** A block to run, and what the page says it prints. */
export interface Example {
  readonly command: Block
  /** The next block under the same heading, where that is `json` or `text`. */
  readonly answer: Block | null
}

/** The blocks of a page, `null` where a heading comes between two. */
const blocksOf = (page: string): (Block | null)[] => {
  const found: (Block | null)[] = []
  let open: { fence: string; language: string; flags: string[]; lines: string[]; line: number } | null = null
  for (const [at, line] of page.split('\n').entries()) {
    if (open === null) {
      const fence = /^(```+)(.*)$/.exec(line)
      if (fence !== null) {
        const [language = '', ...flags] = fence[2]!.trim().split(/\s+/)
        open = { fence: fence[1]!, language, flags, lines: [], line: at + 1 }
      } else if (/^#+ /.test(line)) found.push(null)
    } else if (line === open.fence) {
      found.push({ language: open.language, flags: open.flags, text: open.lines.join('\n'), line: open.line })
      open = null
    } else open.lines.push(line)
  }
  if (open !== null) throw new Error(`the block of line ${open.line} is never closed`)
  return found
}

/** Every bash block of a page, or of another language, in order. */
export const examplesOf = (page: string, language = 'bash'): Example[] => {
  const blocks = blocksOf(page)
  return blocks.flatMap((block, at) => {
    if (block === null || block.language !== language) return []
    const next = blocks[at + 1] ?? null
    const isAnswer = next !== null && (next.language === 'json' || next.language === 'text')
    return [{ command: block, answer: isAnswer ? next : null }]
  })
}

/** A key that stands for whatever else an answer holds. */
const MORE = '…'

/** Texts that are never the same twice: two of one kind are taken for equal. */
const KINDS: readonly RegExp[] = [
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  /^(\d+h)?(\d+m)?\d+s$/,
  /^mcp-\d+$/,
  /^mcp-call-[0-9a-f-]{36}$/,
  /^v\d+\.\d+\.\d+$/,
]

/** Numbers that are never the same twice, by their keys. */
const isCount = (path: string): boolean => /\.(duration_ms|tasks_\w+|\w+_unix_ms|by_type\.[\w-]+)$/.test(path)

/** Where `answer` is not what the page prints, in words; empty where it is. */
export const differences = (printed: unknown, answer: unknown, path = ''): string[] => {
  const differs = [
    `${path || 'the answer'}: printed ${JSON.stringify(printed)}, got ${JSON.stringify(answer)}`,
  ]
  if (Array.isArray(printed) && Array.isArray(answer)) {
    return printed.length === answer.length
      ? printed.flatMap((item, at) => differences(item, answer[at], `${path}[${at}]`))
      : differs
  }
  if (isObject(printed) && isObject(answer)) return objectDifferences(printed, answer, path)
  if (typeof printed === 'string' && typeof answer === 'string') {
    const isSame = printed === answer || KINDS.some((kind) => kind.test(printed) && kind.test(answer))
    return isSame ? [] : differs
  }
  if (typeof printed === 'number' && typeof answer === 'number' && isCount(path)) return []
  return printed === answer ? [] : differs
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const objectDifferences = (
  printed: Record<string, unknown>,
  answer: Record<string, unknown>,
  path: string,
): string[] => {
  const found: string[] = []
  for (const key of new Set([...Object.keys(printed), ...Object.keys(answer)])) {
    const here = `${path}.${key}`
    // A duration of 0 ms is left out, and by_type names what ran so far.
    if (
      key === MORE ||
      ((key === 'duration_ms' || path.endsWith('.by_type')) && !(key in printed && key in answer))
    )
      continue
    if (!(key in answer)) found.push(`${here}: printed, but not answered`)
    else if (key in printed) found.push(...differences(printed[key], answer[key], here))
    else if (!(MORE in printed)) found.push(`${here}: answered, but not printed`)
  }
  return found
}
