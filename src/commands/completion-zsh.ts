/** For zsh: to be put into a folder of `fpath` as `_execgo`, or to be sourced after compinit. */
import { type CompletedCommand, type CompletedOption, type Values, childrenOf } from './completion-tree.ts'

export const zshCompletion = (commands: readonly CompletedCommand[]): string => `#compdef execgo
# zsh completion for execgo
${commands.map((command) => functionOf(commands, command)).join('\n')}
if [[ $funcstack[1] == _execgo ]]; then
  _execgo "$@"
else
  compdef _execgo execgo
fi
`

/** Commands that have others under them hand over to those; each shifts the words on. */
const functionOf = (commands: readonly CompletedCommand[], command: CompletedCommand): string => {
  const options = command.options.map(optionSpec)
  const children = childrenOf(commands, command)
  const name = nameOf(command.path)
  if (children.length === 0) {
    const values = command.values === null ? [] : [quoted(`*:value:${actionOf(command.values)}`)]
    return `${name}() {\n  _arguments -s -S ${[...options, ...values].join(' \\\n    ')}\n}`
  }
  const described = children.map(({ path, description }) => quoted(`${path.at(-1)}:${description}`))
  const cases = children.map(
    ({ path, aliases }) => `    ${[path.at(-1), ...aliases].join('|')}) ${nameOf(path)} ;;`,
  )
  return `${name}() {
  local curcontext=$curcontext state line
  _arguments -C ${[...options, "'1: :->command'", "'*:: :->rest'"].join(' \\\n    ')}
  case $state in
  command)
    local -a names=(
      ${described.join('\n      ')}
    )
    _describe command names
    ;;
  rest)
    case $words[1] in
${cases.join('\n')}
    esac
    ;;
  esac
}`
}

const nameOf = (path: readonly string[]): string => ['_execgo', ...path].join('_')

/** `'(-o --output)'{-o,--output}'[what]:value:(json yaml)'`. */
const optionSpec = ({ flags, description, values }: CompletedOption): string => {
  const about = `[${description.replace(/[[\]\\]/g, '\\$&')}]${values === null ? '' : `:value:${actionOf(values)}`}`
  // With = where the value may also come after one.
  const isLong = (flag: string): boolean => flag.startsWith('--')
  const words = flags.map((flag) => (values !== null && isLong(flag) ? `${flag}=` : flag))
  return words.length === 1
    ? quoted(`${words[0]}${about}`)
    : `${quoted(`(${flags.join(' ')})`)}{${words.join(',')}}${quoted(about)}`
}

const actionOf = (values: Values): string => {
  switch (values.kind) {
    case 'choices':
      return `(${values.choices.join(' ')})`
    case 'files':
      return '_files'
    case 'anything':
      return ' '
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
