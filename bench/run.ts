/**
 * `npm run bench`: measures everything in one go, prints the tables and writes the result file.
 * Progress goes to stderr, the tables to stdout.
 */
import { join } from 'node:path'
import { acceptance } from './acceptance.bench.ts'
import { readEnvironment } from './environment.ts'
import { FIGURES } from './figures.ts'
import { COUNTS, QUICK_COUNTS } from './load/counts.ts'
import type { World } from './load/scenario.ts'
import { SCENARIOS } from './load/scenarios/all.ts'
import { root } from './load/server.ts'
import { type Answer, answer } from './micro.ts'
import { type Options, USAGE, isWanted, readOptions } from './options.ts'
import { readyQueue } from './ready-queue.bench.ts'
import { Measurements } from './measurements.ts'
import { writeResults } from './results.ts'
import { headLine, loadTable, microTable, noteLines } from './table.ts'
import { store } from './store.bench.ts'
import { taskJson } from './task-json.bench.ts'
import { validation } from './validation.bench.ts'

const QUESTIONS = [validation, acceptance, readyQueue, taskJson, store]

const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const optionsOrUsage = (): Options => {
  try {
    const options = readOptions(process.argv.slice(2), process.env, join(root, 'bench', 'results'))
    const names = [...FIGURES, ...QUESTIONS].map(({ name }) => name)
    const unknown = options.only.find((word) => !names.some((name) => isWanted([word], name)))
    if (unknown !== undefined) throw new Error(`--only: no ${unknown}; there are ${names.join(', ')}`)
    return options
  } catch (error) {
    say(`bench: ${(error as Error).message}\n\n${USAGE}`)
    process.exit(2)
  }
}

const measureLoad = async (options: Options, record: Measurements): Promise<void> => {
  const figureOf = new Map(FIGURES.map((figure) => [figure.name, figure]))
  const hasSlow = options.isFull || options.isQuick
  const world: World = {
    counts: options.isQuick ? QUICK_COUNTS : COUNTS,
    record,
    peer: options.peer,
    nodeFlags: process.env['BENCH_NODE_FLAGS'] ?? '',
    wants: (name) => isWanted(options.only, name) && (hasSlow || figureOf.get(name)?.isSlow !== true),
    say: (line) => say(`  ${line}`),
  }
  for (const { name, isSlow } of FIGURES) {
    if (isSlow === true && !hasSlow) record.note(name, 'measured with --full')
  }
  for (record.round = 0; record.round < options.rounds; record.round++) {
    say(`round ${record.round + 1} of ${options.rounds}`)
    for (const scenario of SCENARIOS) {
      if (scenario.figures.some(world.wants)) await scenario.run(world)
    }
  }
}

const main = async (): Promise<void> => {
  const options = optionsOrUsage()
  const environment = readEnvironment(root)
  const record = new Measurements()
  await measureLoad(options, record)
  const answers: Answer[] = []
  for (const question of QUESTIONS) {
    if (isWanted(options.only, question.name)) answers.push(...(await answer(question, options.isQuick)))
  }
  const rows = FIGURES.filter(({ name }) => isWanted(options.only, name)).map((figure) => record.row(figure))
  process.stdout.write(
    [
      headLine(environment),
      ...(options.isQuick ? ['--quick: small counts, these figures say nothing about speed\n'] : []),
      ...(rows.length === 0
        ? []
        : [loadTable(rows, options.peer !== null, options.isQuick), noteLines(rows)]),
      ...(answers.length === 0 ? [] : [microTable(answers)]),
      `written to ${writeResults(environment, options, rows, answers)}\n`,
    ].join('\n'),
  )
  if (record.hasFailed) process.exitCode = 1
}

// Ending at once takes the servers along: see load/server.ts.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
await main()
