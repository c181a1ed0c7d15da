/** Tasks by their ids, or a graph by `--graph`: an id that looks like a graph's may be a task's. */
import type { Command } from 'commander'
import { CommandError } from './terminal.ts'

export interface Targets {
  readonly graph?: string
}

export const withTargets = (command: Command, verb: string): Command =>
  command
    .argument('[task_id...]', `tasks to ${verb}`)
    .option('-g, --graph <graph_id>', `${verb} a graph in the place of tasks`)

export const targetOf = (
  name: string,
  ids: readonly string[],
  { graph }: Targets,
): readonly string[] | { readonly graphId: string } => {
  if (graph !== undefined && ids.length === 0) return { graphId: graph }
  if (graph === undefined && ids.length > 0) return ids
  throw new CommandError(2, `${name}: name tasks, or a graph by --graph`)
}
