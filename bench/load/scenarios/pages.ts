/** A page of 100 of the list, by each filter and in both orders: how long until it is there, by `fetch`. */
import { median } from '../../measurements.ts'
import type { Contestant, World } from '../scenario.ts'

const WARM_UP = 5
const TIMES = 20
const ORDERS = ['created', '-created'] as const
/** Nothing is found, so that all that there is is searched. */
const OF_NO_TASK = ['type=mcp', 'tool=none', 'prefix=none', 'status=skipped&tool=noop']
/** Largest page that a client may ask for: to get far into the list. */
const STRIDE = 1000

/**
 * Where it has `total` tasks, `noop`s most of them, those of `k…` before those of `i…`: each prefix begins halfway in one of
 * the orders. Keeps the dearest page; the note has all.
 */
export const measurePages = async (
  world: World,
  { server, column, sample }: Contestant,
  total: number,
): Promise<void> => {
  const url = `http://127.0.0.1:${server.port}`
  const { graphs } = (await (await fetch(`${url}/graphs?limit=1`)).json()) as {
    readonly graphs: readonly { readonly graph_id: string }[]
  }
  const filters = ['', 'status=success', 'type=noop', 'tool=noop', `graph_id=${graphs[0]!.graph_id}`]
  const asked = ORDERS.flatMap((order) => filters.map((filter) => `order=${order}&${filter}`))
  for (const order of ORDERS) for (const prefix of ['k', 'i']) asked.push(`order=${order}&prefix=${prefix}`)
  asked.push(`cursor=${await middleOf(url, total)}`)
  const figures: { readonly query: string; readonly ms: number }[] = []
  const measure = async (query: string, least: number): Promise<void> => {
    figures.push({ query, ms: await pageMs(`${url}/tasks?limit=100&${query}`, least) })
  }
  for (const query of asked) await measure(query, 1)
  for (const query of OF_NO_TASK) await measure(query, 0)
  figures.sort((a, b) => b.ms - a.ms)
  sample('page', figures[0]!.ms)
  const each = figures.map(({ query, ms }) => `${query} ${ms.toFixed(1)}`).join(', ')
  world.record.note('page', `${column}: ${each} ms`)
}

/** The cursor of the page that ends halfway. */
const middleOf = async (url: string, total: number): Promise<string> => {
  let cursor = ''
  for (let passed = 0; passed < total / 2; passed += STRIDE) {
    const page = await fetch(`${url}/tasks?limit=${STRIDE}&cursor=${cursor}`)
    await page.arrayBuffer()
    cursor = page.headers.get('x-next-cursor') ?? cursor
  }
  return cursor
}

const pageMs = async (url: string, least: number): Promise<number> => {
  for (let at = 0; at < WARM_UP; at++) await timed(url, least)
  const times: number[] = []
  for (let at = 0; at < TIMES; at++) times.push(await timed(url, least))
  return median(times)
}

/** @param least so many tasks must be in it: an empty page is no figure */
const timed = async (url: string, least: number): Promise<number> => {
  const startedAt = performance.now()
  const page = await fetch(url)
  const tasks = (await page.json()) as readonly unknown[]
  const tookMs = performance.now() - startedAt
  if (page.status !== 200 || tasks.length < least)
    throw new Error(`${url}: ${page.status} with ${tasks.length} tasks`)
  return tookMs
}
