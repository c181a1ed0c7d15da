import { CommandError, type Terminal } from './terminal.ts'
import { type Failure, failureOf } from './failure.ts'

/** Does the same for each id, goes on after one that fails, and tells of it. @throws CommandError with the worst exit code */
export const forEachId = async <T>(
  ids: readonly string[],
  terminal: Terminal,
  act: (id: string) => Promise<T>,
): Promise<{ readonly done: T[]; readonly end: () => void }> => {
  const done: T[] = []
  const failures: Failure[] = []
  for (const id of ids) {
    try {
      done.push(await act(id))
    } catch (error) {
      if (terminal.signal.aborted) throw error
      failures.push(failureOf(error, terminal))
    }
  }
  const end = (): void => {
    if (failures.length === 0) return
    const exitCode = failures.some((failure) => failure.exitCode === 2) ? 2 : 1
    // The same for several is said once.
    throw new CommandError(exitCode, [...new Set(failures.map(({ message }) => message))].join('\nexecgo: '))
  }
  return { done, end }
}
