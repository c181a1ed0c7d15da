/** Carries a Dockerfile's steps out where there is no engine: each stage is a folder, and its base image is this machine. */
import { execFile } from 'node:child_process'
import { cp, mkdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Step {
  readonly keyword: string
  /** The rest of the line, and of those that continue it. */
  readonly text: string
}

export const stepsOf = (dockerfile: string): Step[] =>
  dockerfile
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .flatMap((line) => {
      const match = /^([A-Z]+) +(.*)$/.exec(line)
      return match === null ? [] : [{ keyword: match[1]!, text: match[2]! }]
    })

/** `COPY --from=build /a /b ./`, taken apart. */
export const copyOf = (text: string): { from: string; sources: string[]; target: string } => {
  const words = text.split(/ +/)
  const from = words[0]!.startsWith('--from=') ? words.shift()!.slice('--from='.length) : ''
  return { from, sources: words.slice(0, -1), target: words.at(-1)! }
}

export interface Built {
  /** What is `/` in the image. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly workdir: string
}

/**
 * The last stage, below `folder`. Its own `RUN` steps are left out: they change the system that the image is made of, which
 * here would be this machine.
 */
export const build = async (
  steps: readonly Step[],
  context: string,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<Built> => {
  const last = steps.findLastIndex(({ keyword }) => keyword === 'FROM')
  const stages = new Map<string, string>()
  let stage = ''
  let workdir = '/'
  let settings: Record<string, string> = {}
  for (const [at, { keyword, text }] of steps.entries()) {
    if (keyword === 'FROM') {
      const name = / AS (\S+)$/.exec(text)?.[1] ?? 'last'
      ;[stage, workdir, settings] = [join(folder, name), '/', {}]
      stages.set(name, stage)
    } else if (keyword === 'WORKDIR') {
      workdir = text
      await mkdir(join(stage, workdir), { recursive: true })
    } else if (keyword === 'ENV') {
      for (const pair of text.split(/ +/)) settings[pair.split('=')[0]!] = pair.slice(pair.indexOf('=') + 1)
    } else if (keyword === 'COPY') {
      const { from, sources, target } = copyOf(text)
      const to = target.startsWith('/') ? join(stage, target) : join(stage, workdir, target)
      for (const source of sources) {
        const path = join(from === '' ? context : stages.get(from)!, source)
        // A folder's content is copied, not the folder.
        const isInto = target.endsWith('/') && !(await stat(path)).isDirectory()
        await cp(path, isInto ? join(to, basename(path)) : to, { recursive: true, verbatimSymlinks: true })
      }
    } else if (keyword === 'RUN' && at < last) {
      await run('bash', ['-e', '-c', text], { cwd: join(stage, workdir), env, maxBuffer: 2 ** 26 })
    }
  }
  return { folder: stage, env: settings, workdir }
}
