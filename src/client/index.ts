/** `execgo/client`: the client of a daemon, for any runtime with `fetch`. */
export type {
  CancelOptions,
  Execgo,
  ExecgoGraphs,
  ListOptions,
  Ran,
  Signalled,
  SubmitOptions,
  WaitOptions,
} from './api.ts'
export { type Client, type PageOptions, type TaskPage, createClient } from './client.ts'
export * from './errors.ts'
export type { EventsOptions } from './events.ts'
export { type GraphBuilder, type StepOptions, type Steps, type TasksOf, graph } from './graph.ts'
export type { ClientOptions } from './http.ts'
export type * from './types.ts'
