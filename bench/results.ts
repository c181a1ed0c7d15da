/** The result file: everything that the tables show, and each round. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from './environment.ts'
import type { Answer } from './micro.ts'
import type { Options } from './options.ts'
import type { Row } from './measurements.ts'

/** Writes it and returns its path. What is no whole run ends in `.local.json`, which git ignores. */
export const writeResults = (
  environment: Environment,
  options: Options,
  rows: readonly Row[],
  answers: readonly Answer[],
): string => {
  mkdirSync(options.out, { recursive: true })
  const isPartial = options.isQuick || options.only.length > 0
  const time = environment.date.slice(0, 19).replaceAll(':', '')
  const name = `${time}-${environment.commit}${isPartial ? '.local' : ''}.json`
  const path = join(options.out, name)
  const figures = rows.map(({ figure, cells, verdict, notes }) => ({
    name: figure.name,
    title: figure.title,
    unit: figure.unit,
    better: figure.better,
    judged: figure.judged,
    at_least: { durable: figure.durable?.atLeast, relaxed: figure.relaxed?.atLeast },
    aim: { durable: figure.durable?.aim, relaxed: figure.relaxed?.aim },
    original: figure.original,
    ...cells,
    verdict: options.isQuick ? null : verdict,
    notes,
  }))
  const { date, node, processor, cores, memoryMb, kernel, commit, isDirty, isDataInMemory, settings } =
    environment
  writeFileSync(
    path,
    `${JSON.stringify(
      {
        date,
        node,
        processor,
        cores,
        memory_mb: memoryMb,
        kernel,
        commit,
        is_dirty: isDirty,
        is_data_in_memory: isDataInMemory,
        settings,
        rounds: options.rounds,
        is_quick: options.isQuick,
        is_full: options.isFull,
        peer: options.peer,
        figures,
        micro: answers,
      },
      null,
      2,
    )}\n`,
  )
  return path
}
