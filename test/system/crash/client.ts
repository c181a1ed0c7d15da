/** A client that submits, looks and deletes, one request at a time, until the daemon is gone. Its tasks are its own. */
import assert from 'node:assert/strict'
import { fetch } from '../../support/checked-fetch.ts'
import type { Entry, Kind, Ledger, Submission } from './ledger.ts'
import type { Random } from './random.ts'

/** Tasks of one client that may be under way at once. */
const MOST_OPEN = 80

const KINDS: readonly Kind[] = ['noop', 'noop', 'noop', 'sleep', 'sleep', 'shell', 'shell', 'flaky', 'broken']

/** A command writes down who it is before anything else. */
const NOTE = 'echo "$EXECGO_TASK_ID $EXECGO_ATTEMPT" >> "$EXECGO_CRASH_LOG"'

const taskOf = ({ id, kind, dependsOn }: Entry, ms: number): object => {
  const common = { id, depends_on: dependsOn }
  switch (kind) {
    case 'noop':
      return { ...common, type: 'noop', params: { message: 'x'.repeat(ms * 5) } }
    case 'sleep':
      return { ...common, type: 'sleep', params: { duration_ms: ms } }
    case 'shell':
      return { ...common, type: 'shell', params: { script: `${NOTE}; sleep 0.0${ms % 10}` } }
    case 'flaky':
      return { ...common, type: 'shell', retry: 2, params: { script: `${NOTE}; [ $EXECGO_ATTEMPT -ge 2 ]` } }
    case 'broken':
      return { ...common, type: 'file', params: { action: 'read', path: '/nowhere/at/all' } }
  }
}

export class Client {
  readonly #name: string
  readonly #random: Random
  readonly #ledger: Ledger
  readonly #mine: Submission[] = []
  #made = 0

  constructor(name: string, random: Random, ledger: Ledger) {
    this.#name = name
    this.#random = random
    this.#ledger = ledger
  }

  /** Goes on until a request fails because nobody is there any more. */
  async run(url: string): Promise<void> {
    try {
      await this.#sendAgain(url)
      for (;;) {
        if (this.#open().length < MOST_OPEN) await this.#submit(url)
        if (this.#random.chance(0.15)) await this.#delete(url)
        for (let looks = this.#random.whole(1, 6); looks > 0; looks--) await this.#look(url)
      }
    } catch (error) {
      // fetch says no more than this of a connection that broke.
      if (!(error instanceof TypeError)) throw error
    }
  }

  #open(): Entry[] {
    return this.#mine
      .filter(({ state }) => state === 'accepted')
      .flatMap(({ entries }) => entries.filter((entry) => entry.outcome === null && entry.deleted === 'no'))
  }

  async #submit(url: string): Promise<void> {
    const random = this.#random
    const isRelaxed = random.chance(0.15)
    const size = random.chance(0.4) ? 1 : random.whole(2, 12)
    const number = this.#made++
    const entries: Entry[] = []
    const idempotencyKey = random.chance(0.5) ? `${this.#name}-${number}` : ''
    const tasks: object[] = []
    for (let at = 0; at < size; at++) {
      const dependsOn = entries.filter(() => random.chance(1.5 / size)).map(({ id }) => id)
      const id = `${this.#name}-${number}-${at}`
      const entry: Entry = { id, kind: random.pick(KINDS), dependsOn, deleted: 'no', outcome: null }
      entries.push(entry)
      tasks.push(taskOf(entry, random.whole(0, 60)))
    }
    const body = JSON.stringify({ tasks, ...(isRelaxed ? { durability: 'relaxed' } : {}) })
    const submission: Submission = { entries, isRelaxed, body, idempotencyKey, graphId: '', state: 'open' }
    this.#mine.push(submission)
    this.#ledger.submissions.push(submission)
    await this.#send(url, submission)
  }

  async #send(url: string, graph: Submission): Promise<Response> {
    const response = await fetch(`${url}/tasks`, {
      method: 'POST',
      body: graph.body,
      headers: {
        'content-type': 'application/json',
        ...(graph.idempotencyKey === '' ? {} : { 'idempotency-key': graph.idempotencyKey }),
      },
    })
    const text = await response.text()
    assert.equal(response.status, 202, text)
    const answer = JSON.parse(text) as { task_ids: string[]; graph_id?: string }
    assert.deepEqual(
      answer.task_ids,
      graph.entries.map(({ id }) => id),
    )
    graph.graphId = answer.graph_id ?? ''
    graph.state = 'accepted'
    return response
  }

  /** What had no answer, and has a key by which it may be sent again. */
  async #sendAgain(url: string): Promise<void> {
    const last = this.#mine.at(-1)
    if (last === undefined || last.idempotencyKey === '' || last.graphId !== '') return
    if (last.entries.some(({ deleted }) => deleted !== 'no')) return
    const wasThere = last.state === 'accepted'
    if (!wasThere && last.state !== 'never') return
    if (!wasThere) last.state = 'open'
    // Should the daemon end before it answers, nobody knows any more.
    last.state = wasThere ? 'accepted' : 'open'
    const response = await this.#send(url, last)
    assert.equal(response.headers.get('idempotent-replayed') === 'true', wasThere, 'sent again')
  }

  async #look(url: string): Promise<void> {
    const open = this.#open()
    const accepted = this.#mine.filter(({ state }) => state === 'accepted')
    if (accepted.length === 0) return
    const entry =
      open.length > 0 && this.#random.chance(0.9)
        ? this.#random.pick(open)
        : this.#random.pick(this.#random.pick(accepted).entries)
    const response = await fetch(`${url}/tasks/${entry.id}`)
    const text = await response.text()
    if (response.status === 404) assert.notEqual(entry.deleted, 'no', `${entry.id} is lost`)
    else {
      assert.equal(response.status, 200, text)
      if (entry.deleted !== 'yes') this.#ledger.see(entry, text.trim())
      else assert.fail(`${entry.id} was deleted and is back`)
    }
  }

  async #delete(url: string): Promise<void> {
    const accepted = this.#mine.filter(({ state }) => state === 'accepted')
    if (accepted.length === 0) return
    const entry = this.#random.pick(this.#random.pick(accepted).entries)
    if (entry.deleted !== 'no') return
    entry.deleted = 'asked'
    const response = await fetch(`${url}/tasks/${entry.id}`, { method: 'DELETE' })
    assert.equal(response.status, 204, await response.text())
    entry.deleted = 'yes'
  }
}
