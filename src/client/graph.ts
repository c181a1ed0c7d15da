/**
 * Graphs put together step by step, with the types of each tool:
 *
 * ```ts
 * const release = graph()
 *   .shell('build', { script: 'make' })
 *   .shell('test', { script: 'make test' }, { after: ['build'], retry: 1 })
 *   .http('tell', { url: 'https://example.com/done', method: 'POST' }, { after: ['test'] })
 * ```
 */
import type { GraphSpec, Task, TaskOptions, TaskSpec, ToolName, Tools } from './types.ts'

/** Names what a task waits for: tasks that are in the graph already. */
export interface StepOptions<Ids> extends TaskOptions {
  after?: readonly Ids[]
}

/** Ids and the tools that they run. */
export type Steps = Record<string, ToolName>

/** The tasks of a graph by their ids, with the results of their tools. */
export type TasksOf<S extends Steps> = { [Id in keyof S]: Task<Tools[S[Id]]['result']> }

type Add<S extends Steps, T extends ToolName> = <Id extends string>(
  id: Id,
  params: Tools[T]['params'],
  options?: StepOptions<keyof S & string>,
) => GraphBuilder<S & Record<Id, T>>

export class GraphBuilder<S extends Steps> {
  readonly #tasks: readonly TaskSpec[]

  constructor(tasks: readonly TaskSpec[] = []) {
    this.#tasks = tasks
  }

  /** What `submit` and `run` take. */
  get spec(): GraphSpec {
    return { tasks: this.#tasks }
  }

  readonly noop: Add<S, 'noop'> = (id, params, options) => this.#add(id, 'noop', params, options)
  readonly sleep: Add<S, 'sleep'> = (id, params, options) => this.#add(id, 'sleep', params, options)
  readonly shell: Add<S, 'shell'> = (id, params, options) => this.#add(id, 'shell', params, options)
  readonly file: Add<S, 'file'> = (id, params, options) => this.#add(id, 'file', params, options)
  readonly http: Add<S, 'http'> = (id, params, options) => this.#add(id, 'http', params, options)
  readonly dns: Add<S, 'dns'> = (id, params, options) => this.#add(id, 'dns', params, options)
  readonly tcp: Add<S, 'tcp'> = (id, params, options) => this.#add(id, 'tcp', params, options)
  readonly cliSkills: Add<S, 'cli-skills'> = (id, params, options) =>
    this.#add(id, 'cli-skills', params, options)
  /** @param tool what the task's `tool_name` says */
  readonly mcp = <Id extends string>(
    id: Id,
    tool: string,
    input: Tools['mcp']['params'],
    options?: StepOptions<keyof S & string>,
  ): GraphBuilder<S & Record<Id, 'mcp'>> => this.#with({ id, type: 'mcp', tool_name: tool, input }, options)

  #add<Id extends string, T extends ToolName>(
    id: Id,
    type: T,
    params: object,
    options?: StepOptions<string>,
  ): GraphBuilder<S & Record<Id, T>> {
    return this.#with(type === 'cli-skills' ? { id, type, input: params } : { id, type, params }, options)
  }

  #with<More extends Steps>(
    task: TaskSpec,
    { after = [], ...rest }: StepOptions<string> = {},
  ): GraphBuilder<S & More> {
    const others = after.length > 0 ? { depends_on: after } : {}
    return new GraphBuilder<S & More>([...this.#tasks, { ...task, ...others, ...rest }])
  }
}

/** An empty graph. Each step gives a new one: what was there before can be used again. */
export const graph = (): GraphBuilder<Record<never, never>> => new GraphBuilder()
