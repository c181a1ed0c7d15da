// Tools of one's own, for the tests of the kernel and of `execgo run`.
import { defineTool, done, fail } from 'execgo'
import * as v from 'valibot'

const Numbers = v.object({ numbers: v.array(v.number('a number')) })
const summed = (numbers) => numbers.reduce((sum, each) => sum + each, 0)

export default [
  defineTool({
    name: 'sum',
    params: Numbers,
    run({ numbers, ...rest }, { progress }) {
      numbers.forEach((_, at) => {
        progress(`${summed(numbers.slice(0, at + 1))} so far`)
      })
      return done({ sum: summed(numbers), fields: ['numbers', ...Object.keys(rest)] })
    },
  }),
  defineTool({
    name: 'late-sum',
    params: v.pipeAsync(
      Numbers,
      v.checkAsync(async () => true),
    ),
    run: async ({ numbers }) => done({ sum: summed(numbers) }),
  }),
  defineTool({ name: 'plain', run: (input, { attempt }) => done({ ...input, attempt }) }),
  defineTool({
    name: 'until-aborted',
    async run(_, { signal, progress }) {
      progress('waiting')
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return fail('stopped', { output: { heard: signal.reason } })
    },
  }),
  defineTool({
    name: 'chatty',
    run() {
      console.log('printed by a tool')
      return done(null)
    },
  }),
]
