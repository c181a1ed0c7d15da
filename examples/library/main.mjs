// execgo within another program, with a tool of its own:  node examples/library/main.mjs
import { createKernel } from 'execgo'

const kernel = createKernel({
  maxConcurrency: 4,
  tools: [new URL('./count-tool.mjs', import.meta.url)],
})
await kernel.start()
try {
  const { ok, tasks } = await kernel.run({
    tasks: [
      { id: 'date', type: 'shell', params: { command: 'date' } },
      { id: 'count', type: 'os', tool_name: 'count-words', input: { lines: ['to be', 'or not to be'] } },
      { id: 'wrong', type: 'os', tool_name: 'count-words', input: { lines: 'to be' } },
      { id: 'after', type: 'noop', depends_on: ['date', 'count'] },
    ],
  })
  console.log(ok, tasks.count.result, tasks.after.status)
  console.log(tasks.wrong.error)
} finally {
  await kernel.stop()
}
