import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Figure } from '../../../bench/figures.ts'
import { Measurements } from '../../../bench/measurements.ts'
import { isWanted, readOptions } from '../../../bench/options.ts'

const figure = (rest: Partial<Figure>): Figure => ({
  name: 'f',
  title: '',
  unit: '',
  better: 'higher',
  judged: 'ratio',
  ...rest,
})

const measured = (
  rounds: readonly { floor?: number; durable?: number; relaxed?: number }[],
): Measurements => {
  const measurements = new Measurements()
  rounds.forEach((round, at) => {
    measurements.round = at
    for (const column of ['floor', 'durable', 'relaxed'] as const) {
      if (round[column] !== undefined) measurements.sample('f', column, round[column])
    }
  })
  return measurements
}

test('each round is compared with its own floor, a round without one with none', () => {
  const row = measured([
    { floor: 100, durable: 50 },
    { durable: 1000 },
    { floor: 10, durable: 6 },
    { floor: 1, durable: 0.7 },
  ]).row(figure({}))
  assert.equal(row.cells.durable?.ratio, 0.6)
  assert.equal(row.cells.durable?.median, 28)
  assert.equal(row.cells.floor?.median, 10)
  assert.equal(row.verdict, null)
})

test('the verdict is that of the worse column', () => {
  const targets = { durable: { atLeast: 0.4, aim: 0.6 }, relaxed: { atLeast: 0.6, aim: 0.9 } }
  const verdict = (durable: number, relaxed: number) =>
    measured([{ floor: 1, durable, relaxed }]).row(figure(targets)).verdict
  assert.equal(verdict(0.7, 0.9), 'aim')
  assert.equal(verdict(0.4, 0.95), 'ok')
  assert.equal(verdict(0.7, 0.59), 'short')
})

test('where less is better a target is the most that is allowed', () => {
  const lower = figure({ better: 'lower', judged: 'value', durable: { atLeast: 0.5, aim: 0 } })
  const verdict = (durable: number) => measured([{ durable }]).row(lower).verdict
  assert.equal(verdict(0), 'aim')
  assert.equal(verdict(0.5), 'ok')
  assert.equal(verdict(0.6), 'short')
})

test('options: medians of five, of one when quick, and names by their beginning', () => {
  assert.equal(readOptions([], {}, 'out').rounds, 5)
  assert.equal(readOptions(['--quick'], {}, 'out').rounds, 1)
  assert.equal(readOptions(['--quick', '--rounds', '3'], {}, 'out').rounds, 3)
  assert.equal(readOptions([], { BENCH_PEER: ' ' }, 'out').peer, null)
  assert.throws(() => readOptions(['--rounds', '0'], {}, 'out'), /--rounds/)
  assert.throws(() => readOptions(['--fast'], {}, 'out'), /--fast/)
  const { only } = readOptions(['--only', 'cost, get'], {}, 'out')
  assert.ok(isWanted(only, 'cost-flat-10') && isWanted(only, 'get') && !isWanted(only, 'tasks'))
})
