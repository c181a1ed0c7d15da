/** Every row of the table: what it is called, what is judged of it, and what it is to reach. */

/** What each column holds: the reference, this daemon twice, and the other server. */
export const COLUMNS = ['floor', 'durable', 'relaxed', 'peer'] as const
export type Column = (typeof COLUMNS)[number]

/** Where lower is better, `atLeast` is the most that is allowed. */
export interface Target {
  readonly atLeast: number
  readonly aim: number
}

export interface Figure {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  /** What the targets are about: the ratio to the floor's column, or the value itself. */
  readonly judged: 'ratio' | 'value'
  readonly durable?: Target
  readonly relaxed?: Target
  /** What the original server reached, judged in the same way; nothing it answered was synced. */
  readonly original?: string
  /** Measured only with --full (and, in small, with --quick). */
  readonly isSlow?: boolean
}

/** Tasks in a graph, of the figures of cost; the first one is what the others are compared with. */
export const GRAPH_SIZES = [10, 100, 1000, 10_000, 100_000, 1_000_000] as const
export const CHAIN_SIZES = [1000, 100_000] as const
/** From this size on, a graph is measured only with --full. */
const SLOW_SIZE = 1_000_000

const ratio = { better: 'higher', judged: 'ratio' } as const
const absolute = { better: 'lower', judged: 'value' } as const

const cost = (shape: string, title: string, sizes: readonly number[]): Figure[] => [
  ...sizes.map((size) => ({
    ...absolute,
    name: `cost-${shape}-${size}`,
    title: `cost a task, ${title} of ${size.toLocaleString('en-US')}`,
    unit: 'µs',
    isSlow: size >= SLOW_SIZE,
  })),
  {
    ...absolute,
    name: `cost-${shape}`,
    title: `the dearest of them against ${title} of ${sizes[0]!.toLocaleString('en-US')}`,
    unit: '×',
    durable: { atLeast: 2, aim: 1.25 },
  },
]

export const FIGURES: readonly Figure[] = [
  {
    ...ratio,
    name: 'tasks',
    title: 'noop in graphs of 100, 8 connections, submit to all over',
    unit: 'tasks/s',
    durable: { atLeast: 0.4, aim: 0.65 },
    original: '0.22–0.25',
  },
  {
    ...ratio,
    name: 'requests',
    title: 'one noop each, 32 connections',
    unit: 'requests/s',
    durable: { atLeast: 0.45, aim: 0.65 },
    relaxed: { atLeast: 0.65, aim: 0.9 },
    original: '0.76–0.86',
  },
  { ...ratio, name: 'requests-over', title: 'the same, until all are over', unit: 'requests/s' },
  {
    ...ratio,
    name: 'get',
    title: 'GET of one finished task, 32 connections',
    unit: 'requests/s',
    durable: { atLeast: 0.8, aim: 1 },
    original: '0.95',
  },
  {
    ...ratio,
    name: 'shell',
    title: 'shell echo, 10 at once, against xargs -P10 -n1 /bin/echo',
    unit: 'tasks/s',
    durable: { atLeast: 1, aim: 1.2 },
    original: '0.95',
  },
  {
    ...ratio,
    name: 'shell-kept',
    title: 'the same with 500,000 finished tasks kept',
    unit: 'tasks/s',
    durable: { atLeast: 1, aim: 1.2 },
    original: '0.7',
    isSlow: true,
  },
  {
    better: 'lower',
    judged: 'ratio',
    name: 'latency',
    title: 'one noop from POST to seen over, against POST and GET',
    unit: 'ms',
    durable: { atLeast: 3, aim: 2 },
    relaxed: { atLeast: 1.6, aim: 1.2 },
    original: '0.8',
  },
  {
    ...absolute,
    name: 'memory',
    title: 'RssAnon of all processes, 500,000 finished tasks kept',
    unit: 'MB',
    durable: { atLeast: 250, aim: 150 },
    original: '960',
    isSlow: true,
  },
  {
    ...absolute,
    name: 'sleeps',
    title: '1000 sleeps of 1 s at max-concurrency 1000',
    unit: 's',
    durable: { atLeast: 1.1, aim: 1.03 },
    original: '1.03',
  },
  {
    ...absolute,
    name: 'stall',
    title: 'longest answer of /health while 500,000 tasks run and are saved',
    unit: 'ms',
    durable: { atLeast: 50, aim: 20 },
    original: 'seconds',
    isSlow: true,
  },
  ...cost('flat', 'flat graphs', GRAPH_SIZES),
  ...cost('fan', 'fan-out-and-in graphs', GRAPH_SIZES),
  ...cost('chain', 'chains', CHAIN_SIZES),
  {
    ...absolute,
    name: 'idle',
    title: 'CPU while idle, 1,000,000 tasks kept',
    unit: '%',
    durable: { atLeast: 0.5, aim: 0 },
    isSlow: true,
  },
  {
    ...absolute,
    name: 'page',
    title: 'a page of 100 out of 1,000,000 tasks, by the dearest filter and order',
    unit: 'ms',
    durable: { atLeast: 20, aim: 5 },
    isSlow: true,
  },
]
