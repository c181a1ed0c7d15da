/** `execgo completion`: a script for a shell, made of the commands as they are. */
import { Argument, Command } from 'commander'
import { bashCompletion } from './completion-bash.ts'
import { fishCompletion } from './completion-fish.ts'
import { type CompletedCommand, completedCommands } from './completion-tree.ts'
import { zshCompletion } from './completion-zsh.ts'
import { withExamples } from './examples.ts'
import type { Terminal } from './terminal.ts'

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } satisfies Record<
  string,
  (commands: readonly CompletedCommand[]) => string
>

export const completionCommand = ({ stdout }: Terminal): Command => {
  const command = new Command('completion')
    .description('Prints a completion script for a shell. It completes commands, options and their values.')
    .addArgument(new Argument('<shell>', 'which').choices(Object.keys(SHELLS)))
  return withExamples(command, [
    ['completion bash >> ~/.bashrc', 'bash'],
    ['completion zsh > "$fpath[1]/_execgo"', 'zsh, where compinit runs'],
    ['completion fish > ~/.config/fish/completions/execgo.fish', 'fish'],
  ]).action((shell: keyof typeof SHELLS) => {
    stdout.write(SHELLS[shell](completedCommands(command.parent!)))
  })
}
