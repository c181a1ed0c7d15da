/** For fish. */
import { type CompletedCommand, type CompletedOption, type Values, childrenOf } from './completion-tree.ts'

export const fishCompletion = (commands: readonly CompletedCommand[]): string => `# fish completion for execgo
function __execgo_at
    set -l path ''
    for word in (commandline -opc)[2..]
        switch "$path $word"
${commands.flatMap(stepsOf).join('\n')}
        end
    end
    test "$path" = "$argv[1]"
end
complete -c execgo -f
${commands.flatMap((command) => linesOf(commands, command)).join('\n')}
`

const stepsOf = ({ path, aliases }: CompletedCommand): string[] => {
  if (path.length === 0) return []
  const before = keyOf(path.slice(0, -1))
  const names = [path.at(-1)!, ...aliases].map((name) => quoted(`${before} ${name}`))
  return [`            case ${names.join(' ')}`, `                set path ${quoted(keyOf(path))}`]
}

const linesOf = (commands: readonly CompletedCommand[], command: CompletedCommand): string[] => {
  const at = `complete -c execgo -n ${quoted(`__execgo_at '${keyOf(command.path)}'`)}`
  const names = childrenOf(commands, command).map(
    ({ path, description }) => `${at} -a ${quoted(path.at(-1)!)} -d ${quoted(description)}`,
  )
  const values = command.values === null || names.length > 0 ? '' : valuesOf(command.values)
  return [
    ...names,
    ...(values === '' ? [] : [`${at} ${values}`]),
    ...command.options.map((option) => `${at} ${optionOf(option)}`),
  ]
}

const optionOf = ({ flags, description, values }: CompletedOption): string =>
  [
    ...flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)),
    `-d ${quoted(description)}`,
    // Without -x, files are offered beside the choices.
    ...(values === null ? [] : [values.kind === 'files' ? '-r' : '-x', valuesOf(values)]),
  ]
    .join(' ')
    .trimEnd()

const valuesOf = (values: Values): string => {
  switch (values.kind) {
    case 'choices':
      return `-a ${quoted(values.choices.join(' '))}`
    case 'files':
      return '-F'
    case 'anything':
      return ''
  }
}

const keyOf = (path: readonly string[]): string => path.map((word) => ` ${word}`).join('')

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
