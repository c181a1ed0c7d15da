import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PlannedAttempt, endedOrAborted } from '../../../../workers/mcp/planned-attempt.ts'

test('it begins once, at the earliest time that was asked for', async () => {
  let runs = 0
  const attempt = new PlannedAttempt(async () => {
    runs++
  })
  attempt.beginWithin(600_000)
  attempt.beginWithin(1)
  attempt.beginWithin(600_000)
  await attempt.over
  attempt.beginWithin(0)
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(runs, 1)
})

test('one that is forgotten is over, and does not begin', async () => {
  const attempt = new PlannedAttempt(() => assert.fail('it began'))
  attempt.beginWithin(5)
  attempt.forget()
  await attempt.over
  await new Promise((resolve) => setTimeout(resolve, 20))
})

test('who waits may give up', async () => {
  const never = new Promise<void>(() => {})
  await endedOrAborted(never, AbortSignal.abort())
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 5)
  await endedOrAborted(never, controller.signal)
  await endedOrAborted(Promise.resolve(), new AbortController().signal)
})
