import type { JsonObject } from '../../src/domain/json.ts'
import { runCommand } from '../process/command.ts'
import { InputFields } from './input.ts'
import { offTheList } from './shell/allow-list.ts'
import { deny, done, fail, refuse, type Tool } from './tool.ts'

/** Runs any command, its outputs taken together. @see contract A5 */
export const cliSkills: Tool = {
  name: 'cli-skills',
  async run(input, context) {
    const fields = new InputFields(input, context, 'cli-skills input', 'CLISkillInput')
    const command = fields.string('command')
    const args = fields.strings('args')
    if (fields.problem !== null) return refuse(fields.problem)
    if (command.trim() === '') return refuse('command is required')
    const refusal = context.settings.shellPolicy === 'strict' ? offTheList(command) : null
    if (refusal !== null) return deny(refusal)
    const result = await runCommand({ command, args: args ?? [], dir: '', isOutputTogether: true }, context)
    const output = { args, command, output: result.stdout.text }
    const details: JsonObject = {}
    if (result.signal !== null) details.signal = result.signal
    if (result.stdout.truncatedBytes > 0) details.stdout_truncated_bytes = result.stdout.truncatedBytes
    const rest: { details?: JsonObject } =
      context.isAborted || Object.keys(details).length > 0 ? { details } : {}
    if (result.reason !== '' || context.isAborted)
      return fail(`cli skill command failed: ${result.reason}`, { output, ...rest })
    return done(output, rest.details)
  },
}
