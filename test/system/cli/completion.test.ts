/** The completion scripts, in the shells that are here. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { cli } from '../../support/cli.ts'

/** A command line up to the cursor, and what it may go on with: all of it, or some. */
const CASES: readonly (readonly [line: string, all: readonly string[]])[] = [
  ['execgo su', ['submit']],
  ['execgo hea', ['health']],
  ['execgo completion ', ['bash', 'fish', 'zsh']],
  ['execgo token ', ['new']],
  ['execgo list --status f', ['failed']],
  ['execgo ls --status f', ['failed']],
  ['execgo list -s s', ['skipped', 'success']],
  ['execgo list --prefix token -o y', ['yaml']],
  ['execgo submit --dur', ['--durability']],
  ['execgo token new --sc', ['--scope']],
  ['execgo submit gr', ['graph.yaml']],
  ['execgo token new --file gr', ['graph.yaml']],
]

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0

describe('completion', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'execgo-complete-'))
    await writeFile(join(folder, 'graph.yaml'), '')
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, stdout } = await cli(['completion', shell])
      assert.equal(code, 0)
      await writeFile(join(folder, `script.${shell}`), stdout)
    }
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const run = (shell: string, words: readonly string[]): string => {
    const { stdout, stderr, status } = spawnSync(shell, words, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, HOME: folder, TERM: 'dumb' },
    })
    assert.equal(status, 0, stderr)
    return stdout
  }

  test('bash', { skip: has('bash') ? false : 'no bash' }, () => {
    for (const [line, all] of CASES) {
      const words = line.split(' ')
      const shown = run('bash', [
        '-c',
        `source ./script.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _execgo; printf '%s\\n' "\${COMPREPLY[@]}"`,
        'bash',
        ...words,
      ])
      assert.deepEqual(shown.trim().split('\n').sort(), all, line)
    }
    // As readline takes --output=js apart.
    const split = run('bash', [
      '-c',
      'source ./script.bash; COMP_WORDS=(execgo list --output = js); COMP_CWORD=4; _execgo; echo $COMPREPLY',
    ])
    assert.equal(split, 'json\n')
  })

  test('fish', { skip: has('fish') ? false : 'no fish' }, () => {
    for (const [line, all] of CASES) {
      const shown = run('fish', ['-c', `source ./script.fish; complete -C '${line}'`])
      const found = shown
        .trim()
        .split('\n')
        .map((each) => each.split('\t')[0]!)
      assert.deepEqual(found.sort(), all, line)
    }
  })

  test('zsh', { skip: has('zsh') ? false : 'no zsh' }, () => {
    for (const [line, all] of CASES) {
      // What only one word can follow is typed out.
      if (all.length > 1) continue
      const shown = run('zsh', ['-f', '-c', ZSH, 'zsh', line])
      const last = /<<(.*)>>/.exec(shown)?.[1]?.trimEnd().split(' ').at(-1)
      assert.equal(last?.replace(/=$/, ''), all[0], `${line}: ${shown}`)
    }
  })
})

/** Types a line and a tab into a zsh of its own, and prints what stands there then. */
const ZSH = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; unsetopt beep zle_bracketed_paste; autoload -Uz compinit; compinit -u -d ./zcompdump; source ./script.zsh'
zpty -w shell 'tell() { print -r -- "<""<$BUFFER>"">"; }; zle -N tell; bindkey "^X" tell; bindkey "^I" complete-word; print rea""dy'
zpty -r shell text '*ready*'
zpty -wn shell "$1"$'\\t\\x18'
zpty -r shell text '*<<*>>*'
print -r -- $text
zpty -d shell
`
