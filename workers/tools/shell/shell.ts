import type { JsonObject } from '../../../src/domain/json.ts'
import { type Command, type CommandResult, runCommand } from '../../process/command.ts'
import { InputFields } from '../input.ts'
import { deny, done, fail, refuse, type Tool, type ToolResult } from '../tool.ts'
import { offTheList } from './allow-list.ts'
import { scriptRunner } from './runner.ts'

/** What was left out of the outputs, and the signal that ended it; null where there is nothing to tell. @see contract B2, B4 */
const detailsOf = (result: CommandResult, isAborted: boolean): JsonObject | null => {
  const { stdout, stderr, signal } = result
  const details: JsonObject = {}
  if (signal !== null) details.signal = signal
  if (stdout.truncatedBytes > 0) details.stdout_truncated_bytes = stdout.truncatedBytes
  if (stderr.truncatedBytes > 0) details.stderr_truncated_bytes = stderr.truncatedBytes
  // Of one that was stopped the scheduler adds who did it.
  return isAborted || Object.keys(details).length > 0 ? details : null
}

const toResult = (result: CommandResult, runner: string, isAborted: boolean): ToolResult => {
  const output = {
    exit_code: result.exitCode,
    runner,
    stderr: result.stderr.text,
    stdout: result.stdout.text,
  }
  const details = detailsOf(result, isAborted)
  if (result.reason === '' && !isAborted) return details === null ? done(output) : done(output, details)
  return fail(`command failed: ${result.reason}`, details === null ? { output } : { output, details })
}

/** Runs a command without a shell, or a script with one. A script wins where both are given. @see contract A5 */
export const shell: Tool = {
  name: 'shell',
  run(input, context) {
    const fields = new InputFields(input, context, 'shell params', 'ShellParams')
    const [command, script] = [fields.string('command'), fields.string('script')]
    const [asked, dir] = [fields.string('runner'), fields.string('dir')]
    const args = fields.strings('args') ?? []
    if (fields.problem !== null) return refuse(fields.problem)
    const { shellPolicy } = context.settings
    const run = async (what: Command, runner: string): Promise<ToolResult> =>
      toResult(await runCommand(what, context), runner, context.isAborted)

    if (script.trim() !== '') {
      const runner = scriptRunner(asked)
      if (typeof runner === 'string') return refuse(runner)
      if (shellPolicy === 'strict') return deny('scripts are not allowed by the shell policy')
      const runnerArgs = [...runner.args, script]
      return run({ command: runner.command, args: runnerArgs, dir, isOutputTogether: false }, runner.name)
    }
    if (command.trim() === '') return refuse('either script or command is required')
    const refusal = shellPolicy === 'open' ? null : offTheList(command)
    if (refusal !== null) return refuse(refusal)
    return run({ command, args, dir, isOutputTogether: false }, 'direct')
  },
}
