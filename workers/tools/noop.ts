import { InputFields } from './input.ts'
import { done, refuse, type Tool } from './tool.ts'

/** Does nothing, and says what it was told. @see contract A5 */
export const noop: Tool = {
  name: 'noop',
  run(input, context) {
    // Alone among the tools it also runs without any input.
    if (context.inputJson === '') return done({ message: '', ok: true })
    const fields = new InputFields(input, context, 'noop params', 'NoopParams')
    const message = fields.string('message')
    if (fields.problem !== null) return refuse(fields.problem)
    return done({ message, ok: true })
  },
}
