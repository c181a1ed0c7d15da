/**
 * Which file a command's name means, looked up before anything is started: the reasons are then exact, and the
 * ones that the guide's clients know.
 */
import { accessSync, constants, existsSync, type Stats, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { quote } from '../../src/domain/quote.ts'
import { errnoText } from '../reasons.ts'

/** The file to start, or why there is none. */
export type Found =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly reason: string }

const no = (reason: string): Found => ({ ok: false, reason })

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The first `name` in PATH; relative places in it are passed over. */
const searchPath = (name: string): string | null => {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    if (!folder.startsWith('/')) continue
    const path = `${folder}/${name}`
    // Most places have no such file, and asking for one that is not there must not cost an error each.
    if (existsSync(path) && isExecutable(path)) return path
  }
  return null
}

/** How long a command is taken to be where it was: most of what a busy daemon starts is the same few commands. */
const KNOWN_FOR_MS = 1000

/** By name, what was found in PATH: never more than there are commands. */
const known = new Map<string, { readonly path: string; readonly untilMs: number }>()

const inPath = (name: string): string | null => {
  const nowMs = performance.now()
  const before = known.get(name)
  if (before !== undefined && nowMs < before.untilMs) return before.path
  const path = searchPath(name)
  if (path === null) known.delete(name)
  else known.set(name, { path, untilMs: nowMs + KNOWN_FOR_MS })
  return path
}

const statOrReason = (path: string): Stats | string => {
  try {
    return statSync(path)
  } catch (error) {
    return errnoText(error)
  }
}

/** `command` as given, `dir` where it is to run (`''` for the daemon's own). */
export const findExecutable = (command: string, dir: string): Found => {
  const hasFolder = command.includes('/')
  const path = hasFolder ? command : inPath(command)
  if (path === null) return no(`exec: ${quote(command)}: executable file not found in $PATH`)
  if (dir !== '') {
    const folder = statOrReason(dir)
    if (typeof folder === 'string') return no(`chdir ${dir}: ${folder}`)
    if (!folder.isDirectory()) return no(`fork/exec ${path}: not a directory`)
  }
  if (hasFolder) {
    const file = statOrReason(resolve(dir, path))
    if (typeof file === 'string') return no(`fork/exec ${path}: ${file}`)
    if (!isExecutable(resolve(dir, path))) return no(`fork/exec ${path}: permission denied`)
  }
  return { ok: true, path }
}
