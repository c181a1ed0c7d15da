/**
 * A submitted task's type, as the daemon keeps it.
 * @see contract A3
 */
import { CATEGORIES, type Category, type SubmittedTask } from './task.ts'

/** The convenience types. Each is the `os` category with a tool of that name. */
export const ALIASES: ReadonlySet<string> = new Set(['noop', 'shell', 'file', 'http', 'dns', 'tcp', 'sleep'])

const isCategory = (type: string): type is Category => (CATEGORIES as readonly string[]).includes(type)

/** Whether a task of this type can be accepted. */
export const isKnownType = (type: string): boolean => ALIASES.has(type) || isCategory(type)

/** What tasks of a type are accepted as; `toolName` is `''` where the type leaves that open. */
export const acceptedAs = (type: string): { readonly type: Category; readonly toolName: string } =>
  isCategory(type) ? { type, toolName: '' } : { type: 'os', toolName: type }

/** What normalisation decides of a task. */
export interface Normalized {
  readonly type: Category
  readonly toolName: string
  readonly executionCategory: 'os' | ''
  readonly inputJson: string
}

/**
 * `shell` → `os` with tool `shell`; categories stay as they are. An unknown type, which only a kept record can
 * have, becomes an `os` tool that does not exist, and fails as such when it runs.
 */
export const normalize = (task: SubmittedTask): Normalized => {
  if (isCategory(task.type)) {
    return { type: task.type, toolName: task.toolName, executionCategory: '', inputJson: task.inputJson }
  }
  return {
    type: 'os',
    toolName: task.type,
    executionCategory: 'os',
    inputJson: task.inputJson || task.paramsJson,
  }
}
