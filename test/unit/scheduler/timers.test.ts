import assert from 'node:assert/strict'
import { type TestContext, describe, it } from 'node:test'
import fc from 'fast-check'
import { type Timer, Timers } from '../../../src/scheduler/timers.ts'

/** Timers on a clock that stands still until `pass`. */
const timersOf = (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let nowMs = 0
  const timers = new Timers(() => nowMs)
  t.after(() => timers.stop())
  return {
    timers,
    pass(ms: number) {
      nowMs += ms
      t.mock.timers.tick(ms)
    },
  }
}

describe('Timers', () => {
  it('run what is due, at its time and not before', (t) => {
    const { timers, pass } = timersOf(t)
    const ran: string[] = []
    timers.add(100, () => ran.push('late'))
    timers.add(50, () => ran.push('early'))
    timers.add(0, () => ran.push('at once'))
    assert.deepEqual(ran, [])
    pass(0)
    pass(1)
    assert.deepEqual(ran, ['at once'])
    pass(48)
    assert.deepEqual(ran, ['at once'])
    pass(1)
    assert.deepEqual(ran, ['at once', 'early'])
    pass(50)
    assert.deepEqual(ran, ['at once', 'early', 'late'])
    assert.equal(timers.size, 0)
  })

  it('do not run one that was taken out, and take none out twice', (t) => {
    const { timers, pass } = timersOf(t)
    const ran: string[] = []
    const out = timers.add(10, () => ran.push('out'))
    const stays = timers.add(20, () => ran.push('stays'))
    timers.remove(out)
    timers.remove(out)
    assert.equal(timers.size, 1)
    pass(100)
    assert.deepEqual(ran, ['stays'])
    timers.remove(stays)
    timers.remove(stays)
    assert.equal(timers.size, 0)
  })

  it('let one that runs add and remove others', (t) => {
    const { timers, pass } = timersOf(t)
    const ran: string[] = []
    timers.add(10, () => {
      ran.push('first')
      timers.remove(second)
      timers.add(0, () => ran.push('added, due'))
      timers.add(5, () => ran.push('added, later'))
    })
    const second = timers.add(10, () => ran.push('second'))
    pass(10)
    assert.deepEqual(ran, ['first', 'added, due'])
    pass(5)
    assert.deepEqual(ran, ['first', 'added, due', 'added, later'])
  })

  it('go on after one that throws', (t) => {
    const { timers, pass } = timersOf(t)
    let ran = 0
    timers.add(1, () => {
      throw new Error('broken')
    })
    timers.add(2, () => ran++)
    assert.throws(() => pass(1), /broken/)
    timers.add(3, () => ran++)
    pass(10)
    assert.equal(ran, 2)
  })

  it('wait for longer than the system can', (t) => {
    const { timers, pass } = timersOf(t)
    let ran = 0
    const days = 60 * 24 * 60 * 60 * 1000
    timers.add(days, () => ran++)
    pass(2 ** 31 - 1)
    assert.equal(ran, 0)
    pass(days - 2 ** 31)
    assert.equal(ran, 0)
    pass(1)
    assert.equal(ran, 1)
  })

  it('never ask the system for more than it can wait', (t) => {
    const asked = t.mock.method(globalThis, 'setTimeout', () => 0 as never)
    const timers = new Timers(() => 0)
    timers.add(2 ** 40, () => {})
    timers.add(Number.MAX_SAFE_INTEGER, () => {})
    assert.deepEqual(
      asked.mock.calls.map((call) => call.arguments[1]),
      [2 ** 31 - 1],
    )
  })

  it('stay in their order, whichever are taken out', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const drawn = fc.array(fc.record({ delayMs: fc.nat(1000), isTakenOut: fc.boolean() }), {
      minLength: 60,
      maxLength: 90,
    })
    fc.assert(
      fc.property(drawn, (wanted) => {
        let nowMs = 0
        const timers = new Timers(() => nowMs)
        const ran: number[] = []
        const added = wanted.map(({ delayMs }) => timers.add(delayMs, () => ran.push(delayMs)))
        for (const [at, { isTakenOut }] of wanted.entries()) if (isTakenOut) timers.remove(added[at]!)
        nowMs = 1000
        timers.fire()
        const left = wanted.filter(({ isTakenOut }) => !isTakenOut).map(({ delayMs }) => delayMs)
        assert.deepEqual(
          ran,
          left.sort((a, b) => a - b),
        )
      }),
      { numRuns: 300, unbiased: true },
    )
  })

  it('go on after one that threw: what was due with it, and what comes later', (t) => {
    let nowMs = 0
    // The mocked clock runs a timer again that threw; the system's does not.
    let armed: (() => void) | null = null
    t.mock.method(globalThis, 'setTimeout', (run: () => void) => {
      armed = run
      return 0
    })
    const fireAt = (ms: number): void => {
      const run = armed
      armed = null
      nowMs = ms
      run?.()
    }
    const timers = new Timers(() => nowMs)
    const ran: string[] = []
    timers.add(10, () => {
      throw new Error('broken')
    })
    timers.add(10, () => ran.push('at the same time'))
    timers.add(500, () => ran.push('later'))
    assert.throws(() => fireAt(10), /broken/)
    fireAt(11)
    assert.deepEqual(ran, ['at the same time'])
    fireAt(500)
    assert.deepEqual(ran, ['at the same time', 'later'])
  })

  it('run nothing after their stop, which may come twice', (t) => {
    const { timers, pass } = timersOf(t)
    const left = timers.add(1, () => assert.fail('it was stopped'))
    timers.stop()
    timers.stop()
    assert.equal(timers.size, 0)
    timers.remove(left)
    pass(10)
  })

  it('run without a mocked clock too', async () => {
    const timers = new Timers(() => performance.now())
    const begin = performance.now()
    await new Promise<void>((resolve) => timers.add(5, resolve))
    assert.ok(performance.now() - begin >= 5)
    timers.stop()
  })

  it('do what a simple model does', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ type: fc.constant('add' as const), value: fc.nat(50) }) },
      fc.record({ type: fc.constant('remove' as const), value: fc.nat(200) }),
      fc.record({ type: fc.constant('pass' as const), value: fc.nat(30) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let nowMs = 0
        const timers = new Timers(() => nowMs)
        const added: { timer: Timer; atMs: number; isLeft: boolean }[] = []
        let ran: number[] = []
        for (const { type, value } of steps) {
          if (type === 'add') {
            const place = added.length
            added.push({ timer: timers.add(value, () => ran.push(place)), atMs: nowMs + value, isLeft: true })
          } else if (type === 'remove' && added.length > 0) {
            const chosen = added[value % added.length]!
            timers.remove(chosen.timer)
            chosen.isLeft = false
          } else if (type === 'pass') {
            nowMs += value
            ran = []
            // What a system timer does, some of them early: `fire` may come at any time.
            timers.fire()
            const due = added.filter((each) => each.isLeft && each.atMs <= nowMs)
            for (const each of due) each.isLeft = false
            assert.deepEqual(
              [...ran].sort((a, b) => a - b),
              due.map((each) => added.indexOf(each)),
            )
            const times = ran.map((place) => added[place]!.atMs)
            assert.deepEqual(
              times,
              [...times].sort((a, b) => a - b),
            )
          }
          assert.equal(timers.size, added.filter((each) => each.isLeft).length)
        }
        timers.stop()
      }),
      { numRuns: 200 },
    )
  })
})
