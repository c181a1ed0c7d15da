/** `execgo/client`: the client of a daemon, for any runtime with `fetch`. */
export { type Client, createClient } from './client.ts'
export type { ListOptions, Ran, Signalled, SubmitOptions, WaitOptions } from './client.ts'
export * from './errors.ts'
export type { EventsOptions } from './events.ts'
export { type GraphBuilder, type StepOptions, type Steps, type TasksOf, graph } from './graph.ts'
export type { ClientOptions } from './http.ts'
export type * from './types.ts'
