/** `execgo delete`: removes records. */
import { Command } from 'commander'
import { ConflictError } from '../client/index.ts'
import { clientOf } from './connection.ts'
import { forEachId } from './each.ts'
import { withExamples } from './examples.ts'
import { Output, type OutputOptions, withOutput } from './output.ts'
import { oneLine } from './table.ts'
import { type Targets, targetOf, withTargets } from './targets.ts'
import { CommandError, type Terminal } from './terminal.ts'

export const deleteCommand = (terminal: Terminal): Command =>
  withExamples(
    withOutput(
      withTargets(new Command('delete').alias('rm'), 'remove').description(
        'Removes records of tasks, or of a graph that is over. What runs goes on: cancel stops it.',
      ),
    ),
    [
      ['delete build test', 'forget two tasks'],
      ['delete --graph g-12', 'forget all of a graph'],
    ],
  ).action(async (ids: string[], options: OutputOptions & Targets) => {
    const output = new Output(terminal, options)
    const { signal } = terminal
    const client = clientOf(terminal)
    const what = targetOf('delete', ids, options)
    if ('graphId' in what) {
      await client.graphs.delete(what.graphId, { signal }).catch((error: unknown) => {
        if (!(error instanceof ConflictError)) throw error
        const hint = `execgo cancel --graph ${what.graphId} ends it, execgo wait --graph ${what.graphId} waits`
        throw new CommandError(2, `${error.message}\n  ${hint}.`)
      })
      return output.value({ deleted: [what.graphId] }, () => `${what.graphId} deleted\n`)
    }
    const { done, end } = await forEachId(what, terminal, async (id) => {
      await client.delete(id, { signal })
      return id
    })
    if (done.length > 0)
      await output.value({ deleted: done }, () => done.map((id) => `${oneLine(id)} deleted\n`).join(''))
    end()
  })
