/** For bash 3.2 and newer, without the package bash-completion. */
import { type CompletedCommand, type Values, childrenOf } from './completion-tree.ts'

export const bashCompletion = (commands: readonly CompletedCommand[]): string => `# bash completion for execgo
_execgo() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path='' i
  # --output=js comes as three words.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
${commands.flatMap(stepsOf).join('\n')}
    esac
  done
  case "$path:$prev" in
${commands.flatMap(optionValuesOf).join('\n')}
  esac
  case "$path" in
${commands.map((command) => wordsOf(commands, command)).join('\n')}
  esac
}
_execgo_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }
_execgo_files() {
  local IFS=$'\\n'
  compopt -o filenames 2> /dev/null
  COMPREPLY=($(compgen -f -- "$cur"))
}
complete -F _execgo execgo
`

/** How the words so far lead to a command. */
const stepsOf = ({ path, aliases }: CompletedCommand): string[] => {
  if (path.length === 0) return []
  const before = path
    .slice(0, -1)
    .map((word) => ` ${word}`)
    .join('')
  const names = [path.at(-1)!, ...aliases].map((name) => quoted(`${before} ${name}`))
  return [`      ${names.join('|')}) path=${quoted(`${before} ${path.at(-1)}`)} ;;`]
}

const optionValuesOf = ({ path, options }: CompletedCommand): string[] =>
  options.flatMap(({ flags, values }) =>
    values === null
      ? []
      : [
          `    ${flags.map((flag) => quoted(`${keyOf(path)}:${flag}`)).join('|')}) ${completing(values)}return ;;`,
        ],
  )

const wordsOf = (commands: readonly CompletedCommand[], command: CompletedCommand): string => {
  const flags = command.options.flatMap((option) => option.flags)
  const names = childrenOf(commands, command).map(({ path }) => path.at(-1)!)
  const values = names.length > 0 ? ({ kind: 'choices', choices: names } as const) : command.values
  const isFree = values === null || values.kind === 'anything'
  return `    ${quoted(keyOf(command.path))}) if [[ $cur == -* ]]; then _execgo_words ${quoted(flags.join(' '))}; ${
    isFree ? '' : `else ${completing(values)}`
  }fi ;;`
}

const keyOf = (path: readonly string[]): string => path.map((word) => ` ${word}`).join('')

const completing = (values: Values): string => {
  switch (values.kind) {
    case 'choices':
      return `_execgo_words ${quoted(values.choices.join(' '))}; `
    case 'files':
      return '_execgo_files; '
    case 'anything':
      return ''
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
