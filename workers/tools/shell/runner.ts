/**
 * Who runs a script. @see contract A5
 */
import { quote } from '../../../src/domain/quote.ts'

export interface ScriptRunner {
  /** As the result names it. */
  readonly name: string
  readonly command: string
  /** The script comes after these. */
  readonly args: readonly string[]
}

const SH: ScriptRunner = { name: 'sh', command: '/bin/sh', args: ['-c'] }

const RUNNERS: Readonly<Record<string, ScriptRunner>> = {
  '': SH,
  auto: SH,
  sh: SH,
  cmd: { name: 'cmd', command: 'cmd', args: ['/C'] },
  powershell: {
    name: 'powershell',
    command: 'powershell',
    args: ['-NoProfile', '-NonInteractive', '-Command'],
  },
}

/** The runner of that name, `''` for the usual one; or, as text, why there is none. */
export const scriptRunner = (asked: string): ScriptRunner | string => {
  const name = asked.trim().toLowerCase()
  if (name === 'direct') return `runner ${quote(asked)} cannot be used with script`
  const isKnown = Object.hasOwn(RUNNERS, name)
  const runner = isKnown ? RUNNERS[name] : undefined
  return runner ?? `invalid runner ${quote(asked)} (supported for script: auto, powershell, cmd, sh)`
}
