/** `execgo validate`: everything that is wrong with graphs, each with its file, line and column. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { unreadable } from '../graph-file.ts'
import { type GivenParams, fillParams, hasPlaceholder } from '../graph-params.ts'
import { nameAndValue } from '../option-values.ts'
import { readStdin } from '../stdin.ts'
import { harmless } from '../table.ts'
import { CommandError, type Terminal } from '../terminal.ts'
import type { Position } from './source.ts'

interface Problem extends Position {
  readonly file: string
  readonly severity: 'error' | 'warning'
  readonly message: string
}

interface Checked {
  readonly problems: readonly Problem[]
  readonly lines: readonly string[]
}

export const validateCommand = (terminal: Terminal): Command =>
  new Command('validate')
    .description('Says everything that is wrong with graphs, each with its file, line and column.')
    .argument('<file...>', 'graphs as JSON or YAML; - for standard input')
    .option(
      '-p, --param <name=value>',
      `what $\{{ params.name }} stands for; without one, what it would fill is not checked`,
      nameAndValue,
    )
    .option('-o, --output <format>', 'text, or json: a list of {file,line,column,severity,message}', 'text')
    .addHelpText(
      'after',
      `
The checks are the daemon's own, with its default limits. Fields that it would
ignore are warnings.
Exit code: 0, or 2 where a daemon would refuse one of the graphs.

Examples:
  $ execgo validate graph.yaml
  $ generate-graph | execgo validate -o json -`,
    )
    .action(async (files: string[], { output, param = {} }: { output: string; param?: GivenParams }) => {
      if (output !== 'text' && output !== 'json')
        throw new CommandError(2, `--output: expected text or json, got ${JSON.stringify(output)}`)
      const checked: Checked[] = []
      for (const file of files) checked.push(await check(file, param, terminal))
      const problems = checked.flatMap((each) => each.problems)
      if (output === 'json') terminal.stdout.write(`${JSON.stringify(problems)}\n`)
      else report(files, checked, terminal)
      if (problems.some(({ severity }) => severity === 'error')) throw new CommandError(2)
    })

const check = async (file: string, params: GivenParams, terminal: Terminal): Promise<Checked> => {
  const text = file === '-' ? await readStdin(terminal) : readText(file)
  const [{ readSource }, { graphProblems }] = await Promise.all([
    import('./source.ts'),
    import('../../api/graph-problems.ts'),
  ])
  // A text from standard input may be either.
  const isJson = file.endsWith('.json') || (file === '-' && /^\s*\{/.test(text))
  const { value, problems, positionOf } = readSource(text, isJson)
  const found: Problem[] = problems.map((problem) => ({ file, ...problem }))
  if (value !== undefined) {
    const filled = fillParams(value, params)
    for (const { path, message, isMissing } of filled.problems)
      if (!isMissing) found.push({ file, ...positionOf(path), severity: 'error', message })
    for (const { path, severity, message } of graphProblems(filled.value)) {
      // What is not given yet may turn out right.
      if (severity === 'error' && hasPlaceholder(valueAt(filled.value, path))) continue
      found.push({ file, ...positionOf(path, severity === 'warning' ? 'key' : 'value'), severity, message })
    }
  }
  found.sort((a, b) => a.line - b.line || a.column - b.column)
  return { problems: found, lines: text.split('\n') }
}

const valueAt = (value: unknown, path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | undefined)?.[key], value)

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(file, error as Error)
  }
}

const report = (files: readonly string[], checked: readonly Checked[], { stderr }: Terminal): void => {
  for (const [at, { problems, lines }] of checked.entries()) {
    for (const problem of problems) {
      const { file, line, column, severity, message } = problem
      stderr.write(`${file}:${line}:${column}: ${severity}: ${harmless(message)}\n`)
      if (stderr.isTTY) stderr.write(excerpt(lines[line - 1] ?? '', problem, stderr.columns || 80))
    }
    stderr.write(`${files[at]}: ${summary(problems)}\n`)
  }
}

/** The line itself, and where in it. */
const excerpt = (text: string, { line, column }: Position, width: number): string => {
  const margin = `${String(line).padStart(6)} | `
  const room = width - margin.length - 1
  const from = column <= room ? 0 : column - Math.floor(room / 2)
  const before = harmless(text.slice(from, column - 1))
  const after = harmless(text.slice(column - 1, from + room))
  // A tab is as wide in both lines.
  return `${margin}${before}${after}\n${' '.repeat(6)} | ${before.replaceAll(/[^\t]/g, ' ')}^\n`
}

const summary = (problems: readonly Problem[]): string => {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = problems.length - errors
  if (errors + warnings === 0) return 'valid'
  const told = [counted(errors, 'error'), counted(warnings, 'warning')].filter((each) => each !== '')
  return `${errors === 0 ? 'valid, ' : ''}${told.join(', ')}`
}

const counted = (count: number, word: string): string =>
  count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`
