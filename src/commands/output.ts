/**
 * What a command puts out: for people a table, for programs JSON or YAML. Only what was asked for goes to stdout;
 * everything else, also how far something is, goes to stderr.
 */
import { styleText } from 'node:util'
import { type Command, Option } from 'commander'
import type { Terminal } from './terminal.ts'

export const FORMATS = ['table', 'json', 'yaml'] as const
export type Format = (typeof FORMATS)[number]

export interface OutputOptions {
  readonly output?: Format
}

/** Gives a command `-o`. */
export const withOutput = (command: Command): Command =>
  command.addOption(
    new Option('-o, --output <format>', 'table on a terminal, json elsewhere by default').choices(FORMATS),
  )

type Style = Parameters<typeof styleText>[0]

/** A text in a colour, where there are colours. */
export type Paint = (style: Style, text: string) => string

const PLAIN: Paint = (_, text) => text
const COLOURED: Paint = (style, text) => styleText(style, text, { validateStream: false })

/** `NO_COLOR` and `FORCE_COLOR` decide; without them it is whether the stream is a terminal that has colours. */
export const paintFor = (stream: NodeJS.WriteStream, env: Terminal['env']): Paint => {
  if (env['NO_COLOR']) return PLAIN
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced === '0' || forced === 'false' ? PLAIN : COLOURED
  return stream.isTTY && env['TERM'] !== 'dumb' ? COLOURED : PLAIN
}

/** Of a stream that is no terminal: nothing is cut there. */
const NO_WIDTH = Number.POSITIVE_INFINITY

export class Output {
  readonly format: Format
  /** Columns that a line may take. */
  readonly width: number
  readonly paint: Paint
  readonly #stdout: NodeJS.WriteStream

  constructor({ stdout, env }: Terminal, { output }: OutputOptions = {}) {
    this.#stdout = stdout
    this.format = output ?? (stdout.isTTY ? 'table' : 'json')
    this.width = stdout.isTTY ? stdout.columns || 80 : NO_WIDTH
    this.paint = paintFor(stdout, env)
  }

  /** Resolves when there is room for more. */
  async write(text: string): Promise<void> {
    if (this.#stdout.write(text)) return
    await new Promise((resolve) => this.#stdout.once('drain', resolve))
  }

  /** One value; what a table shows of it says `table`, in lines. */
  async value(value: unknown, table: () => string | Promise<string>): Promise<void> {
    if (this.format === 'table') return this.write(await table())
    const json = (): string => jsonOf(value, this.#stdout.isTTY ? 2 : 0)
    return this.write(this.format === 'json' ? `${json()}\n` : await yamlOf(value))
  }

  /** One by one, as they come: in JSON an array with a line for each. Not for tables. */
  async list(values: AsyncIterable<unknown>): Promise<void> {
    const isYaml = this.format === 'yaml'
    let isEmpty = true
    for await (const value of values) {
      await this.write(isYaml ? await yamlOf([value]) : `${isEmpty ? '[\n' : ',\n'}${jsonOf(value)}`)
      isEmpty = false
    }
    if (isEmpty) await this.write('[]\n')
    else if (!isYaml) await this.write('\n]\n')
  }

  /** One of those that never end: in JSON a line, in YAML a document. Not for tables. */
  async item(value: unknown): Promise<void> {
    return this.write(this.format === 'yaml' ? `---\n${await yamlOf(value)}` : `${jsonOf(value)}\n`)
  }
}

/** JSON escapes some control characters; those that are left mean something to some terminals. */
const jsonOf = (value: unknown, indent = 0): string =>
  JSON.stringify(value, null, indent).replace(
    /[\x7f-\x9f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  )

/** Texts of several lines stay so. Loaded where it is needed: most commands go without. */
export const yamlOf = async (value: unknown): Promise<string> => {
  const { stringify } = await import('yaml')
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false })
}
