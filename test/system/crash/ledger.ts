/** What clients were told, and whether what the daemon answers later agrees with it. */
import assert from 'node:assert/strict'

export type Kind = 'noop' | 'sleep' | 'shell' | 'flaky' | 'broken'

/** A task as a client knows it. */
export interface Entry {
  readonly id: string
  readonly kind: Kind
  readonly dependsOn: readonly string[]
  /** `asked`: a DELETE without an answer. */
  deleted: 'no' | 'asked' | 'yes'
  /** The text of the record as it was seen when it was over. */
  outcome: string | null
}

/** A graph as a client sent it. */
export interface Submission {
  readonly entries: readonly Entry[]
  readonly isRelaxed: boolean
  readonly body: string
  readonly idempotencyKey: string
  graphId: string
  /** `open`: no answer came. `lost`: a relaxed one that is gone. */
  state: 'open' | 'accepted' | 'lost' | 'never'
}

interface Answered {
  readonly id: string
  readonly status: string
  readonly error?: string
  readonly runtime?: {
    readonly started_at: string
    readonly finished_at: string
    readonly attempt: number
  }
}

const isOver = (status: string): boolean =>
  status === 'success' || status === 'failed' || status === 'skipped'

export class Ledger {
  readonly submissions: Submission[] = []
  /** Relaxed graphs that were answered and are gone. */
  relaxedLost = 0
  relaxedKept = 0
  outcomesSeen = 0

  /** Notes what a client saw of a task of its own. */
  see(entry: Entry, text: string): void {
    const { status } = JSON.parse(text) as Answered
    if (entry.outcome !== null) {
      assert.equal(text, entry.outcome, `the outcome of ${entry.id} changed`)
    } else if (isOver(status)) {
      entry.outcome = text
      this.outcomesSeen++
    }
  }

  /** Compares with everything that the daemon has, right after a start. */
  checkList(list: readonly Answered[]): void {
    const found = new Map(list.map((task) => [task.id, task]))
    assert.equal(found.size, list.length, 'an id is listed twice')
    for (const graph of this.submissions) {
      if (graph.state === 'lost' || graph.state === 'never') continue
      const there = graph.entries.filter(({ id }) => found.has(id)).length
      const deleted = graph.entries.filter((entry) => entry.deleted !== 'no').length
      const isGone = there === 0 && deleted < graph.entries.length
      if (isGone && graph.state === 'open') graph.state = 'never'
      else if (isGone && graph.isRelaxed && graph.entries.every(({ outcome }) => outcome === null)) {
        graph.state = 'lost'
        this.relaxedLost++
      } else graph.state = 'accepted'
      if (graph.state !== 'accepted') continue
      for (const entry of graph.entries) this.#checkEntry(entry, found.get(entry.id))
    }
  }

  #checkEntry(entry: Entry, task: Answered | undefined): void {
    if (entry.deleted === 'yes') {
      assert.equal(task, undefined, `${entry.id} was deleted and is back`)
      return
    }
    if (task === undefined) {
      assert.equal(entry.deleted, 'asked', `${entry.id} was accepted and is lost`)
      entry.deleted = 'yes'
      return
    }
    // The DELETE never came through; it does not come any more.
    entry.deleted = 'no'
    if (entry.outcome !== null)
      assert.equal(JSON.stringify(task), entry.outcome, `the outcome of ${entry.id} changed`)
    else if (isOver(task.status)) entry.outcome = JSON.stringify(task)
  }

  /** Once everything is over: `attempts` are those that each command wrote down itself, in their order. */
  checkEnd(list: readonly Answered[], attempts: ReadonlyMap<string, readonly number[]>): void {
    const found = new Map(list.map((task) => [task.id, task]))
    for (const graph of this.submissions) {
      if (graph.state !== 'accepted') continue
      if (graph.isRelaxed) this.relaxedKept++
      const entries = new Map(graph.entries.map((entry) => [entry.id, entry]))
      const expected = new Map<string, string | null>()
      for (const entry of graph.entries) {
        const ends = entry.dependsOn.map((id) => expected.get(id) ?? null)
        // Whether a dependency was deleted before or after a restart decides: not known here.
        const isKnown = entry.dependsOn.every((id) => entries.get(id)!.deleted === 'no')
        if (!isKnown || ends.some((end) => end === null)) expected.set(entry.id, null)
        else if (ends.some((end) => end !== 'success')) expected.set(entry.id, 'skipped')
        else expected.set(entry.id, entry.kind === 'broken' ? 'failed' : 'success')
        const task = found.get(entry.id)
        if (task === undefined) continue
        assert.ok(isOver(task.status), `${entry.id} is ${task.status}`)
        const wanted = expected.get(entry.id) ?? null
        if (wanted !== null) assert.equal(task.status, wanted, `${entry.id}: ${JSON.stringify(task)}`)
        if (task.status !== 'skipped') this.#checkOrder(entry, task, found)
        this.#checkAttempts(entry, task, attempts.get(entry.id) ?? [])
      }
    }
  }

  #checkOrder(entry: Entry, task: Answered, found: ReadonlyMap<string, Answered>): void {
    for (const id of entry.dependsOn) {
      const dependency = found.get(id)
      if (dependency === undefined) continue
      assert.equal(dependency.status, 'success', `${entry.id} ran, ${id} did not end well`)
      assert.ok(
        Date.parse(dependency.runtime!.finished_at) <= Date.parse(task.runtime!.started_at),
        `${entry.id} began at ${task.runtime!.started_at}, ${id} ended at ${dependency.runtime!.finished_at}`,
      )
    }
  }

  #checkAttempts(entry: Entry, task: Answered, attempts: readonly number[]): void {
    for (let at = 1; at < attempts.length; at++)
      assert.ok(attempts[at - 1]! < attempts[at]!, `the attempts of ${entry.id}: ${attempts.join(', ')}`)
    const isCommand = entry.kind === 'shell' || entry.kind === 'flaky'
    if (!isCommand || task.status === 'skipped') return
    assert.equal(task.runtime!.attempt, attempts.at(-1), `the last attempt of ${entry.id}`)
  }
}
