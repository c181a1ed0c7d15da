/** A tool of one's own, with types: what a module that EXECGO_TOOLS names exports. Loads nothing: every thread does. */
import type { Json, JsonObject } from '../../src/domain/json.ts'
import type { Tool, ToolContext, ToolResult } from './tool.ts'

/** What a schema says of a value. */
type Checked<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** A schema of any library that follows https://standardschema.dev: valibot, zod, arktype and others. */
export interface Schema<Output> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Checked<Output> | Promise<Checked<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/** What a tool of one's own is told of the attempt that it runs. */
export type OwnToolContext = Omit<ToolContext, 'settings' | 'starter' | 'mcp'>

export interface ToolDefinition<Params> {
  /** What a task's `tool_name` says. */
  readonly name: string
  /**
   * Checks `params` before each run, and may change them. A task with others fails finally, as `invalid_input`, with
   * what is wrong and where.
   */
  readonly params?: Schema<Params>
  /**
   * Returns `done(…)`, `fail(…)` or `refuse(…)`. Runs in a worker thread beside others: it must not block, and ends when
   * the context's signal is aborted.
   */
  run(params: Params, context: OwnToolContext): ToolResult | Promise<ToolResult>
}

export const defineTool = <Params = JsonObject>(definition: ToolDefinition<Params>): Tool => {
  const { name, params: schema } = definition
  if (schema === undefined)
    // Without a schema they are what came.
    return { name, run: (input, context) => definition.run(input as Params, ownContext(context)) }
  const go = (checked: Checked<Params>, context: ToolContext): ToolResult | Promise<ToolResult> =>
    checked.issues === undefined
      ? definition.run(checked.value, ownContext(context))
      : refusal(checked.issues)
  return {
    name,
    run(input, context) {
      const checked = schema['~standard'].validate(input)
      // A promise of any kind: one that were taken for a result would pass unchecked.
      return 'then' in checked ? checked.then((result) => go(result, context)) : go(checked, context)
    },
  }
}

/** One that may be taken apart: `run(params, { signal, progress })`. */
const ownContext = (context: ToolContext): OwnToolContext => ({
  taskId: context.taskId,
  graphId: context.graphId,
  toolName: context.toolName,
  inputJson: context.inputJson,
  attempt: context.attempt,
  traceparent: context.traceparent,
  get signal() {
    return context.signal
  },
  get isAborted() {
    return context.isAborted
  },
  get graceMs() {
    return context.graceMs
  },
  onAbort: (listener) => context.onAbort(listener),
  progress: (message) => context.progress(message),
})

/** Problems that are named; the rest are counted. */
const MOST_PROBLEMS = 5

const refusal = (issues: readonly SchemaIssue[]): ToolResult => {
  const named = issues.slice(0, MOST_PROBLEMS).map(({ message, path = [] }) => {
    const where = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    return where === '' ? message : `${where}: ${message}`
  })
  const more = issues.length - named.length
  const message = `params: ${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
  return { ok: false, message, code: 'invalid_input', isFinal: true }
}

export type { Json, JsonObject, Tool, ToolResult }
