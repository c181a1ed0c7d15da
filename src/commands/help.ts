import { Command } from 'commander'

/** `execgo help token new` is `execgo token new --help`. Commander's own knows no command within another. */
export const helpCommand = (): Command =>
  new Command('help')
    .argument('[command...]', 'its name; all commands without one')
    .description('Says more about a command, or one within it.')
    .action((words: readonly string[], _options: unknown, self: Command) => {
      let found = self.parent!
      for (const word of words) {
        found =
          found.commands.find((each) => each.name() === word || each.aliases().includes(word)) ??
          found.error(`error: unknown command '${word}'`)
      }
      found.help()
    })
