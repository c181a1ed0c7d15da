/** What each field of a submitted task must be, in the order in which a wrong one is answered. @see contract A2 */
import type { Limits } from './limits.ts'
import { quote } from './quote.ts'
import { HIGHEST_PRIORITY, RUN_IFS, type SubmittedTask } from './task.ts'

export interface TaskCheck {
  /** The wire's name of the field. */
  readonly field: string
  /** What is wrong with it; `''` for nothing. */
  readonly problem: (task: SubmittedTask, limits: Limits) => string
}

export const idRequired: TaskCheck = {
  field: 'id',
  problem: ({ id }) => (id === '' ? 'task id is required' : ''),
}

export const typeRequired: TaskCheck = {
  field: 'type',
  problem: (task) => (task.type === '' ? about(task, 'type is required') : ''),
}

/** All that needs no look at another task. */
export const FIELD_CHECKS: readonly TaskCheck[] = [
  {
    field: 'retry',
    problem: (task) => (task.retry < 0 ? about(task, 'retry cannot be negative') : ''),
  },
  {
    field: 'timeout',
    problem: (task) => (task.timeoutMs < 0 ? about(task, 'timeout cannot be negative') : ''),
  },
  {
    field: 'priority',
    problem: (task) =>
      task.priority < 0 || task.priority > HIGHEST_PRIORITY
        ? about(task, `priority must be from 0 to ${HIGHEST_PRIORITY}`)
        : '',
  },
  {
    field: 'run_at',
    problem: (task) =>
      Number.isNaN(task.runAtMs)
        ? about(task, `run_at must be an RFC 3339 time (got ${quote(task.runAtText ?? '')})`)
        : '',
  },
  {
    field: 'delay_ms',
    problem: (task) => (task.delayMs < 0 ? about(task, 'delay_ms cannot be negative') : ''),
  },
  {
    field: 'run_if',
    problem: (task) => {
      if (!RUN_IFS.includes(task.runIf))
        return about(task, `run_if must be one of ${RUN_IFS.join(', ')} (got ${quote(task.runIf)})`)
      return task.runIf === 'failure' && task.dependsOn.length === 0
        ? about(task, 'run_if "failure" needs depends_on')
        : ''
    },
  },
  {
    field: 'id',
    // An id of n UTF-16 units takes at most 3n bytes: measure only where it could be too long.
    problem: ({ id }, { idBytes }) =>
      id.length * 3 > idBytes && utf8Length(id) > idBytes
        ? `task ${quote(`${id.slice(0, 32)}…`)}: id is ${utf8Length(id)} bytes: at most ${idBytes} are allowed`
        : '',
  },
  {
    field: 'depends_on',
    problem: (task, { dependenciesPerTask }) =>
      task.dependsOn.length > dependenciesPerTask
        ? about(
            task,
            `depends_on names ${task.dependsOn.length} tasks: at most ${dependenciesPerTask} are allowed`,
          )
        : '',
  },
]

export const unknownDependency = (task: string, dependency: string): string =>
  `task ${quote(task)} depends on unknown task ${quote(dependency)}`

export const selfDependency = (task: string): string => `task ${quote(task)} cannot depend on itself`

export const duplicateId = (id: string): string => `duplicate task id: ${quote(id)}`

const about = ({ id }: SubmittedTask, problem: string): string => `task ${quote(id)}: ${problem}`

/** Bytes of `text` in UTF-8. */
const utf8Length = (text: string): number => {
  let bytes = 0
  for (const char of text) {
    const point = char.codePointAt(0)!
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return bytes
}
