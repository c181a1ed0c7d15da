/** What a process has below it, and what it holds, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

interface Child {
  /** Of its program, cut after 15 bytes. */
  readonly name: string
  readonly pid: number
  readonly isZombie: boolean
}

const childOf = (parent: number, pid: number): Child | null => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, above] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'))
    return Number(above) === parent ? { name, pid, isZombie: state === 'Z' } : null
  } catch {
    return null
  }
}

/** The children of a process, alive or waiting to be reaped; without what compiles the sources for tsx. */
export const childrenOf = (parent: number): Child[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => childOf(parent, Number(name)))
    .filter((child) => child !== null)
    .filter(({ name }) => name !== 'esbuild')

/** How many descriptors a process has open. */
export const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

/** RssAnon in MiB: what is neither the program's text nor the mapped database. */
export const anonymousMb = (pid: number): number =>
  Math.round(Number(/RssAnon:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024)
