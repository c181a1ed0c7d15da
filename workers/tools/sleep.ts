import { InputFields } from './input.ts'
import { done, refuse, type Tool, type ToolResult } from './tool.ts'

const MAX_MS = 600_000

/** Waits. @see contract A5 */
export const sleep: Tool = {
  name: 'sleep',
  run(input, context) {
    const fields = new InputFields(input, context, 'sleep params', 'SleepParams')
    const durationMs = fields.integer('duration_ms')
    if (fields.problem !== null) return refuse(fields.problem)
    if (durationMs < 0) return refuse('duration_ms must be non-negative')
    if (durationMs > MAX_MS) return refuse(`duration_ms exceeds max of ${MAX_MS} ms`)
    const slept = done({ slept_ms: durationMs })
    if (durationMs === 0) return slept
    return new Promise<ToolResult>((resolve) => {
      const timer = setTimeout(resolve, durationMs, slept)
      // The signal lives no longer than this attempt: its listener needs no removing.
      context.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve(slept)
      })
    })
  },
}
