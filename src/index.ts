/**
 * `execgo` as a library: a kernel within another program, and tools of one's own. Light to import: a module with tools is
 * loaded in every worker thread.
 */

export {
  defineTool,
  type Json,
  type JsonObject,
  type OwnToolContext,
  type Schema,
  type Tool,
  type ToolDefinition,
  type ToolResult,
} from '../workers/tools/define-tool.ts'
export { done, fail, refuse } from '../workers/tools/tool.ts'
export type {
  CancelOptions,
  Execgo,
  ExecgoGraphs,
  ListOptions,
  Ran,
  Signalled,
  SubmitOptions,
  WaitOptions,
} from './client/api.ts'
export * from './client/errors.ts'
export type { EventsOptions } from './client/events.ts'
export { type GraphBuilder, graph, type StepOptions, type Steps, type TasksOf } from './client/graph.ts'
export type * from './client/types.ts'
export { createKernel, type Kernel } from './kernel/kernel.ts'
export type { KernelLog, KernelOptions } from './kernel/options.ts'
