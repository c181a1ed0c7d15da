/** The bodies that are submitted, as JSON text. Ids begin with `prefix` and are each used once. */

/** Answered before the sync, or after it. A server that does not know the key ignores it. */
export type Durability = 'durable' | 'relaxed'

const body = (tasks: readonly string[], durability: Durability): string =>
  `{"tasks":[${tasks.join(',')}]${durability === 'relaxed' ? ',"durability":"relaxed"' : ''}}`

const noop = (id: string, dependsOn: readonly string[]): string =>
  dependsOn.length === 0
    ? `{"id":"${id}","type":"noop"}`
    : `{"id":"${id}","type":"noop","depends_on":[${dependsOn.map((each) => `"${each}"`).join(',')}]}`

/** `depth` layers of `width`; each task waits for the whole layer before its own. */
export const layered = (
  prefix: string,
  width: number,
  depth: number,
  durability: Durability = 'durable',
): string => {
  const tasks: string[] = []
  let before: readonly string[] = []
  for (let layer = 0; layer < depth; layer++) {
    const ids = Array.from({ length: width }, (_, at) => `${prefix}-${layer * width + at}`)
    for (const id of ids) tasks.push(noop(id, before))
    before = ids
  }
  return body(tasks, durability)
}

export const flat = (prefix: string, size: number, durability: Durability = 'durable'): string =>
  body(
    Array.from({ length: size }, (_, at) => noop(`${prefix}-${at}`, [])),
    durability,
  )

/** Most tasks that one task of {@link fan} waits for: daemons bound it. */
const MOST_IN = 1000

/** One task, then all but the last, then the last; where that one would wait for too many, some that gather between. */
export const fan = (prefix: string, size: number): string => {
  const gatherers = size > MOST_IN ? Math.ceil(size / MOST_IN) : 0
  const first = `${prefix}-first`
  const middle = Array.from({ length: size - 2 - gatherers }, (_, at) => `${prefix}-${at}`)
  const gathered = Array.from({ length: gatherers }, (_, at) => `${prefix}-in-${at}`)
  return body(
    [
      noop(first, []),
      ...middle.map((id) => noop(id, [first])),
      ...gathered.map((id, at) => noop(id, middle.slice(at * MOST_IN, (at + 1) * MOST_IN))),
      noop(`${prefix}-last`, gatherers > 0 ? gathered : middle),
    ],
    'durable',
  )
}

/** Each task waits for the one before it. */
export const chain = (prefix: string, size: number): string =>
  body(
    Array.from({ length: size }, (_, at) => noop(`${prefix}-${at}`, at === 0 ? [] : [`${prefix}-${at - 1}`])),
    'durable',
  )

/** `size` tasks that wait for nothing, of any type. */
export const alike = (prefix: string, size: number, type: string, params: object): string =>
  body(
    Array.from(
      { length: size },
      (_, at) => `{"id":"${prefix}-${at}","type":"${type}","params":${JSON.stringify(params)}}`,
    ),
    'durable',
  )
