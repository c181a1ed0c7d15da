import { posix } from 'node:path'

/** The shortest path that means the same, judged by its text alone: no trailing slash, no `.`, no `a/..`. */
export const cleanPath = (path: string): string => {
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}
