/** How deep JSON is nested. */

/** Whether arrays and objects lie in one another more than `levels` deep, in what JSON.parse made. */
export const isDeeperThan = (value: unknown, levels: number): boolean => {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++)
      if (isNested(value[at]) && isDeeperThan(value[at], levels - 1)) return true
    return false
  }
  const object = value as Readonly<Record<string, unknown>>
  for (const key in object) {
    const item = object[key]
    if (isNested(item) && isDeeperThan(item, levels - 1)) return true
  }
  return false
}

const isNested = (value: unknown): boolean => typeof value === 'object' && value !== null
