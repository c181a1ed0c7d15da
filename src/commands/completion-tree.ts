/** The commands as the scripts of shells need them. */
import type { Argument, Command, Option } from 'commander'

/** What may stand in a place. */
export type Values =
  | { readonly kind: 'choices'; readonly choices: readonly string[] }
  | { readonly kind: 'files' }
  | { readonly kind: 'anything' }

export interface CompletedOption {
  /** `-o` and `--output`, or one of them. */
  readonly flags: readonly string[]
  readonly description: string
  /** `null` for a flag that takes none. */
  readonly values: Values | null
}

export interface CompletedCommand {
  /** Empty for `execgo` itself, `['token', 'new']`. */
  readonly path: readonly string[]
  readonly aliases: readonly string[]
  readonly description: string
  readonly options: readonly CompletedOption[]
  /** Of its first argument; further ones are of the same kind. */
  readonly values: Values | null
}

/** The program itself, and every command under it. */
export const completedCommands = (program: Command): CompletedCommand[] => commandsFrom(program, [])

const commandsFrom = (command: Command, path: readonly string[]): CompletedCommand[] => {
  const help = command.createHelp()
  const argument = command.registeredArguments[0]
  return [
    {
      path,
      aliases: path.length === 0 ? [] : command.aliases(),
      description: command.summary() || command.description(),
      options: help.visibleOptions(command).map(optionOf),
      values: argument === undefined ? null : valuesOf(argument, argument.name()),
    },
    // `help` among them.
    ...help.visibleCommands(command).flatMap((each) => commandsFrom(each, [...path, each.name()])),
  ]
}

const optionOf = (option: Option): CompletedOption => ({
  flags: [option.short, option.long].filter((flag) => flag != null),
  description: option.description,
  values:
    option.required || option.optional
      ? valuesOf(option, /[<[](.+?)[.\]>]*$/.exec(option.flags)?.[1] ?? '')
      : null,
})

/** That something is a file is said by its name: `file`, `auth.json`. */
const valuesOf = ({ argChoices }: Option | Argument, name: string): Values => {
  if (argChoices !== undefined) return { kind: 'choices', choices: argChoices }
  return /file|dir|\.\w+$/.test(name) ? { kind: 'files' } : { kind: 'anything' }
}

/** The commands right under one. */
export const childrenOf = (
  commands: readonly CompletedCommand[],
  { path }: CompletedCommand,
): readonly CompletedCommand[] =>
  commands.filter(
    (each) => each.path.length === path.length + 1 && path.every((word, at) => each.path[at] === word),
  )
