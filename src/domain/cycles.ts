/** The cycles of a graph, to name them: planGraph only asks whether there is one. */

/**
 * One cycle of each knot of tasks that wait for each other, as places in the order in which each waits for the next.
 * A task that waits for itself alone is none. Tarjan's algorithm, without recursion.
 *
 * @param dependencies for each place the places that it waits for
 */
export const cyclesOf = (dependencies: readonly (readonly number[])[]): number[][] =>
  knotsOf(dependencies).map((knot) => shortestCycle(dependencies, knot))

/** Strongly connected components of two places or more. */
const knotsOf = (dependencies: readonly (readonly number[])[]): number[][] => {
  const knots: number[][] = []
  // When each was met, from 1, and the earliest one that it reaches of those that are still open.
  const met = new Int32Array(dependencies.length)
  const low = new Int32Array(dependencies.length)
  const nextEdge = new Int32Array(dependencies.length)
  const isOpen = new Uint8Array(dependencies.length)
  const open: number[] = []
  let count = 0
  const enter = (place: number): number => {
    met[place] = low[place] = ++count
    isOpen[place] = 1
    open.push(place)
    return place
  }
  const close = (root: number): void => {
    const knot = open.splice(open.lastIndexOf(root))
    for (const place of knot) isOpen[place] = 0
    if (knot.length > 1) knots.push(knot)
  }
  for (let start = 0; start < dependencies.length; start++) {
    if (met[start] !== 0) continue
    const path = [enter(start)]
    while (path.length > 0) {
      const place = path.at(-1)!
      const next = dependencies[place]![nextEdge[place]!++]
      if (next === undefined) {
        path.pop()
        const parent = path.at(-1)
        if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[place]!)
        if (low[place] === met[place]) close(place)
      } else if (met[next] === 0) path.push(enter(next))
      else if (isOpen[next] === 1) low[place] = Math.min(low[place]!, met[next]!)
    }
  }
  return knots
}

/** The shortest way from the first of a knot back to it. */
const shortestCycle = (dependencies: readonly (readonly number[])[], knot: readonly number[]): number[] => {
  const start = knot.reduce((first, place) => Math.min(first, place))
  const within = new Set(knot)
  const cameFrom = new Map<number, number>()
  const queue = [start]
  for (let at = 0; at < queue.length; at++) {
    const place = queue[at]!
    for (const next of dependencies[place]!) {
      if (next === start) return wayTo(place, start, cameFrom)
      if (!within.has(next) || cameFrom.has(next)) continue
      cameFrom.set(next, place)
      queue.push(next)
    }
  }
  throw new Error('a knot of tasks without a cycle')
}

const wayTo = (end: number, start: number, cameFrom: ReadonlyMap<number, number>): number[] => {
  const way = [end]
  while (way.at(-1) !== start) way.push(cameFrom.get(way.at(-1)!)!)
  return way.reverse()
}
