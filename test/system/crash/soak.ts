/** `npm run soak -- <rounds> [seed]`: crash rounds without end in sight, and one line that says what came of them. */
import { crashRounds } from './harness.ts'

const rounds = Number(process.argv[2] ?? 200)
const seed = Number(
  process.argv[3] ?? process.env['EXECGO_CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 32),
)
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  console.error('usage: npm run soak -- <rounds> [seed]')
  process.exit(2)
}
console.log(`seed ${seed}`)
const startedAt = performance.now()
const summary = await crashRounds(seed, rounds)
const figures = Object.entries(summary).map(([name, value]) => `${name} ${value}`)
console.log(`${figures.join(' · ')} · seconds ${Math.round((performance.now() - startedAt) / 1000)}`)
