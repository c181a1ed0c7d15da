/** The reading side of the LMDB store: what is under way is in memory, what is over is read where it lies. */
import type { Graph } from '../../domain/graph-record.ts'
import { keyOfHandle } from '../../domain/task.ts'
import type { Status } from '../../domain/lifecycle.ts'
import { liveTaskJson, publishedStatus } from '../../domain/task-json.ts'
import {
  FIRST_ANSWER_MS,
  type FinishedTask,
  type FirstAnswer,
  type StoreReader,
  type TaskPage,
  type TaskQuery,
} from '../store.ts'
import { facetsOf, matchesFacets, matchesText, takePage } from '../task-page.ts'
import type { Database } from 'lmdb'
import type { Tables } from './database.ts'
import { graphIn, graphsIn, graphWith } from './graph-records.ts'
import { statusOfCode } from './heads.ts'
import { keysFor } from './key-search.ts'
import type { Memory } from './memory.ts'
import type { Pending } from './pending.ts'
import { isTextOf, type Texts } from './texts.ts'

/** UTF-16 units of a text: a longer one takes too long to be parsed whole. */
const MOST_LEARNT = 64 * 1024

export class Reader implements StoreReader {
  readonly #tables: Tables
  readonly #memory: Memory
  readonly #texts: Texts
  readonly #pending: Pending
  readonly #nowMs: () => number

  constructor(tables: Tables, pending: Pending, memory: Memory, texts: Texts, nowMs: () => number) {
    this.#tables = tables
    this.#pending = pending
    this.#memory = memory
    this.#texts = texts
    this.#nowMs = nowMs
  }

  get(id: string): string | null {
    const { index } = this.#memory
    const keys = index.candidates(id)
    const task = index.newest(keys, id)
    if (task !== null) return liveTaskJson(task)
    for (const key of keys) {
      const place = index.place(key)
      if (place === null) continue
      const text = this.#texts.read(place)
      if (isTextOf(text, id)) return text
    }
    return null
  }

  async getByHandle(handleId: string): Promise<string | null> {
    const key = (this.#valueOf('handles', handleId) as number | undefined) ?? keyOfHandle(handleId)
    const text = key < 0 ? null : this.#textOf(key)
    return text?.includes(`"handle_id":"${handleId}"`) === true ? text : null
  }

  async has(id: string): Promise<boolean> {
    const { index } = this.#memory
    if (index.taskOf(id) !== null) return true
    return index.candidates(id).some((key) => {
      const place = index.place(key)
      return place !== null && this.#texts.isOf(place, id)
    })
  }

  async *list(status?: Status): AsyncIterable<string> {
    for (const key of this.#memory.index.keys()) {
      if (status !== undefined && this.#statusOf(key) !== status) continue
      const text = this.#textOf(key)
      if (text !== null) yield text
    }
  }

  async page(query: TaskQuery): Promise<TaskPage> {
    const graph = query.graph === null ? null : await this.graph(query.graph)
    if (query.graph !== null && graph === null) return { tasks: [], nextAfter: null }
    const keys = keysFor(this.#memory.index, query, graph)
    return takePage(query.limit, keys, (key) => this.#textFor(key, query))
  }

  async graph(key: number): Promise<Graph | null> {
    return this.#memory.graphs.get(key) ?? graphWith(this.#tables, key) ?? this.#addedGraph(key)
  }

  async graphs(beforeKey: number, limit: number): Promise<readonly Graph[]> {
    const { graphs } = this.#memory
    const found: Graph[] = []
    for (const graph of graphs.values()) if (graph.key < beforeKey) found.push(graph)
    const added = new Set<number>()
    for (const [first, value] of this.#pending.added('graphs')) {
      for (const graph of graphsIn(first, JSON.parse(value.toString()))) {
        added.add(graph.key)
        if (graph.key < beforeKey && !graphs.has(graph.key)) found.push(graph)
      }
    }
    let left = limit
    const range = { start: beforeKey - 1, end: 0, reverse: true }
    for (const { key: first, value } of this.#tables.graphs.getRange(range)) {
      if (left <= 0) break
      for (const graph of graphsIn(first, value)) {
        if (graph.key >= beforeKey || graphs.has(graph.key) || added.has(graph.key)) continue
        found.push(graph)
        left--
      }
    }
    return found.sort((a, b) => b.key - a.key).slice(0, limit)
  }

  /** A graph that the tables will have in a moment. */
  #addedGraph(key: number): Graph | null {
    let closest: readonly [number, Buffer] | null = null
    for (const added of this.#pending.added('graphs'))
      if (added[0] <= key && added[0] > (closest?.[0] ?? -1)) closest = added
    return closest === null ? null : graphIn(closest[0], JSON.parse(closest[1].toString()), key)
  }

  async *finishedOf(graph: Graph): AsyncIterable<FinishedTask> {
    const { index } = this.#memory
    for (let key = graph.key; key < graph.key + graph.size; key++) {
      const place = index.task(key) === null ? index.place(key) : null
      const json = place === null ? null : this.#texts.read(place)
      if (json !== null) yield { key, json }
    }
  }

  async firstAnswer(key: string): Promise<FirstAnswer | null> {
    const answer = this.#valueOf('answers', key) as FirstAnswer | undefined
    return answer === undefined || answer.atMs + FIRST_ANSWER_MS <= this.#nowMs() ? null : answer
  }

  /** What a table of JSON has, or will have in a moment. */
  #valueOf(table: 'answers' | 'handles', key: number | string): unknown {
    const added = this.#pending.get(table, key)
    if (added !== undefined) return added === null ? undefined : JSON.parse(added.toString())
    return (this.#tables[table] as Database<unknown, number | string>).get(key)
  }

  /** By the index alone: no record is read for it. */
  #statusOf(key: number): Status | null {
    const { index } = this.#memory
    const task = index.task(key)
    return task === null ? statusOfCode(index.code(key)) : publishedStatus(task)
  }

  /** The text of a task that is asked for; only one whose status is right is read. */
  #textFor(key: number, query: TaskQuery): string | null {
    if (query.status !== null && this.#statusOf(key) !== query.status) return null
    const { index } = this.#memory
    const task = index.task(key)
    if (task !== null) return matchesFacets(query, task) ? this.#textOf(key) : null
    const text = this.#textOf(key)
    if (text === null) return null
    if (!isByFacets(query) || !index.isUnknown(key) || text.length > MOST_LEARNT)
      return matchesText(query, text) ? text : null
    // It is looked into for good: the next search need not.
    const facets = facetsOf(text)
    index.learn(key, facets)
    return matchesFacets(query, facets) ? text : null
  }

  #textOf(key: number): string | null {
    const { index } = this.#memory
    const task = index.task(key)
    if (task !== null) return index.taskOf(task.id) === task ? liveTaskJson(task) : null
    const place = index.place(key)
    return place === null ? null : this.#texts.read(place)
  }
}

const isByFacets = ({ type, tool, prefix }: TaskQuery): boolean =>
  type !== null || tool !== '' || prefix !== ''
