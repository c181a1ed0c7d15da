/** What a task put out, as lines for people. */
import type { Task } from '../../client/index.ts'
import { harmless } from '../table.ts'

/** Names and texts: of commands what they printed, of others what they came to. The name is `''` where it is the only one. */
export const outputLines = ({ result }: Task): [name: string, text: string][] => {
  if (typeof result !== 'object' || result === null)
    return result === undefined || result === null ? [] : [['', String(result)]]
  const { stdout, stderr, output } = result as Record<string, unknown>
  if (typeof stdout === 'string' && typeof stderr === 'string') {
    const both: [string, string][] = [
      ['stdout', stdout],
      ['stderr', stderr],
    ]
    const printed = both.filter(([, text]) => text.trim() !== '')
    return printed.length === 1 ? [['', printed[0]![1]]] : printed
  }
  if (typeof output === 'string') return output.trim() === '' ? [] : [['', output]]
  return [['', JSON.stringify(result)]]
}

/** Characters of an output that are looked at, from its end. */
const MOST_CHARACTERS = 64 * 1024

/** Of a line that was written over and over. */
const lastState = (line: string): string => line.slice(line.lastIndexOf('\r', line.length - 2) + 1)

/** Its last lines, that no terminal obeys. */
export const tail = (text: string, most: number): string[] => {
  const end = Number.isFinite(most) ? text.slice(-MOST_CHARACTERS) : text
  const last = end.replaceAll('\r\n', '\n').split('\n').map(lastState).join('\n')
  const lines = harmless(last.trimEnd()).replaceAll('\t', '  ').split('\n')
  const left = lines.length - most
  return left > 0 ? [`… ${left} ${left === 1 ? 'line' : 'lines'} before`, ...lines.slice(-most)] : lines
}

/** What is worth a few words in a table: the error, or the last line of what it put out. */
export const briefly = (task: Task): string => {
  if (task.error) return task.error
  const [first] = outputLines(task)
  return first === undefined ? '' : (tail(first[1], 1).at(-1) ?? '')
}
