import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from '../../../src/pool/messages.ts'
import { TaskMetrics } from '../../../src/metrics/task-metrics.ts'
import { startRig } from '../../support/scheduler-rig.ts'
import { submitted } from '../../support/tasks.ts'

test('a name gets a label once a task of it succeeded, and only so many names do', async (t) => {
  const { submit, store } = await startRig(t)
  const metrics = new TaskMetrics(() => 0)
  const labels = metrics.tools.size
  const end = async (toolName: string, status: Outcome['status']): Promise<void> => {
    await submit(submitted(toolName, { type: 'os', toolName }))
    metrics.ended(store.unfinished(toolName)!, { status, ranMs: 1 } as Outcome)
  }
  await end('made-up', 'failed')
  assert.equal(metrics.tools.size, labels)
  assert.equal(metrics.tools.get('other')!.failed, 1)
  for (let n = 0; n < 100; n++) await end(`tool-${n}`, 'success')
  assert.equal(metrics.tools.size, 64)
  assert.equal(metrics.tools.get('tool-0')!.succeeded, 1)
  assert.equal(metrics.tools.get('other')!.succeeded, 100 - (64 - labels))
})
