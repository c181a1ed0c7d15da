import type { Command } from 'commander'

/** Puts examples under a command's help: each a line, and what it is for. */
export const withExamples = (
  command: Command,
  examples: readonly (readonly [line: string, why: string])[],
): Command =>
  command.addHelpText(
    'after',
    `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${examples
      .map(([line, why]) => `  # ${why}\n  $ execgo ${line}`)
      .join('\n')}`,
  )
