/** The real daemon behind each wire, for suites that say the same of both. */
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { type DaemonOptions, type TestDaemon, startDaemon } from '../support/daemon.ts'
import { type Edge, Refused, grpcEdge, httpEdge } from './edges.ts'

export interface Wire {
  readonly daemon: TestDaemon
  readonly edge: Edge
  readonly refuses: Refuses
  /** The task as this wire tells it, once it is over. */
  settled(id: string): Promise<any>
}

/** Expects a refusal, by its code and its words. */
type Refuses = (promise: Promise<unknown>, kind: keyof Edge['codes'], message: string) => Promise<void>

export const refusalsOf =
  (edge: Edge): Refuses =>
  (promise, kind, message) =>
    assert.rejects(promise, (error: unknown) => {
      assert.ok(error instanceof Refused)
      assert.deepEqual([error.code, error.message], [edge.codes[kind], message])
      return true
    })

/** A daemon for each wire, until the tests of the file are over. */
export const startWires = (options?: DaemonOptions): Promise<Wire[]> =>
  Promise.all(
    [httpEdge, grpcEdge].map(async (open) => {
      const daemon = await startDaemon(options)
      const edge = open(daemon)
      after(async () => {
        edge.close()
        await daemon.stop()
      })
      const settled = async (id: string): Promise<any> => {
        await daemon.settled(id)
        return edge.get(id)
      }
      return { daemon, edge, refuses: refusalsOf(edge), settled }
    }),
  )
