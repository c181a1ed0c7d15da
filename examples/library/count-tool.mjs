// A tool of one's own, with its parameters checked by a schema: it counts the words of a text, line by line.
import { defineTool, done, fail } from 'execgo'
import * as v from 'valibot'

export default defineTool({
  name: 'count-words',
  params: v.object({ lines: v.array(v.string()), pause_ms: v.optional(v.number(), 0) }),
  async run({ lines, pause_ms }, { signal, progress }) {
    let words = 0
    for (const [at, line] of lines.entries()) {
      // Aborted at a timeout, at a cancel and at a stop.
      if (signal.aborted) return fail(`stopped after ${at} lines`)
      words += line.split(/\s+/).filter((word) => word !== '').length
      progress(`line ${at + 1} of ${lines.length}`)
      await new Promise((resolve) => setTimeout(resolve, pause_ms))
    }
    return done({ words })
  },
})
