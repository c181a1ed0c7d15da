/**
 * Starts processes by posix_spawn. The C library makes the child share the daemon's memory until it becomes the
 * command, so nothing is copied, whatever the daemon holds. (The thread waits for that moment; the others do not.)
 *
 * ```
 * pipes ─► posix_spawn ─► pidfd ─► event loop: the process is over ─► its pipes are drained, and it is reaped by
 *                                                                     its own pid
 * ```
 *
 * Node reaps its own children by their pids too, so neither of the two takes the other's.
 */
import { constants } from 'node:os'
import type { Holdings } from '../../../src/pool/messages.ts'
import { errnoText } from '../../reasons.ts'
import { findExecutable } from '../find-executable.ts'
import { type HoldingsTable, killGroup, type Place } from '../holdings.ts'
import { readProcess } from '../process-table.ts'
import type { ProcessExit, ProcessSpec, ProcessStarter, StartedProcess, StartResult } from '../starter.ts'
import { CStrings } from './c-strings.ts'
import { CommandPipe, drainFree } from './command-pipe.ts'
import { type Libc, opaque } from './libc.ts'
import { findPipeHandleClass, type PipeHandleClass, watchPidfd } from './pidfd.ts'

const { EINVAL, ENOEXEC } = constants.errno
const O_CLOEXEC = 0o2000000
const WNOHANG = 1
const POSIX_SPAWN_SETPGROUP = 0x02
const POSIX_SPAWN_SETSIGDEF = 0x04
const POSIX_SPAWN_SETSIGMASK = 0x08
const POSIX_SPAWN_SETSID = 0x80

/** When a command that is not over gets its pipes read. One that fills them sooner has to wait for that long. */
const FLOW_AFTER_MS = 50
/**
 * How long, and how often, the pipes of a command that is over are waited for: a command that another thread starts
 * at this moment has them too, until it has become itself.
 */
const SHARED_PIPE_MS = 1
const MOST_DRAINS = 4
/** How often a process is asked after that nothing tells us of. */
const REAP_EVERY_MS = 10

/** Of two names for one number the first is the usual one. */
const byNumber = (numbers: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(
    Object.entries(numbers)
      .map(([name, number]): [number, string] => [number, name])
      .reverse(),
  )

const ERROR_NAMES = byNumber(constants.errno)
const SIGNAL_NAMES = byNumber(constants.signals)

const exitOf = (status: number): ProcessExit => {
  const signal = status & 0x7f
  if (signal === 0) return { code: (status >> 8) & 0xff, signal: null }
  return { code: null, signal: SIGNAL_NAMES.get(signal) ?? `signal ${signal}` }
}

const toTexts = (variables: NodeJS.ProcessEnv): string[] =>
  Object.entries(variables).map(([name, value]) => `${name}=${value}`)

/** The library would take a text as far as to it. */
const hasNul = (text: string): boolean => text.includes('\0')

/**
 * What a command leads. A session of its own keeps it from the daemon's terminal, where there is one or nobody can say;
 * else a group does, and costs less.
 */
const leadership = (): number =>
  readProcess('self')?.terminal === 0 ? POSIX_SPAWN_SETPGROUP : POSIX_SPAWN_SETSID

export class PosixStarter implements ProcessStarter {
  readonly way = 'posix'
  readonly #libc: Libc
  readonly #table: HoldingsTable
  readonly #Handle: PipeHandleClass
  readonly #attributes = opaque()
  readonly #actions = opaque()
  readonly #status = new Int32Array(1)
  readonly #arguments: CStrings
  readonly #environment: CStrings
  readonly #inheritedTexts: CStrings
  /** The environment that `#inheritedTexts` has, and where. */
  #inherited: NodeJS.ProcessEnv = {}
  #inheritedAddresses: Uint32Array = new Uint32Array(0)

  /** @throws where this machine or this Node lacks something */
  constructor(libc: Libc, table: HoldingsTable) {
    this.#libc = libc
    this.#table = table
    this.#Handle = findPipeHandleClass(libc)
    this.#arguments = new CStrings(libc)
    this.#environment = new CStrings(libc)
    this.#inheritedTexts = new CStrings(libc)
    libc.attributesInit(this.#attributes)
    libc.attributesSetFlags(this.#attributes, leadership() | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
    // A set has one bit for each signal. The library's own full set lacks two of its own, which a command would then
    // ignore.
    libc.attributesSetSignalMask(this.#attributes, opaque())
    libc.attributesSetSignalDefault(this.#attributes, opaque().fill(0xff))
  }

  async start(spec: ProcessSpec): Promise<StartResult> {
    const found = findExecutable(spec.command, spec.dir)
    if (!found.ok) return found
    const place = this.#table.take()
    const started = this.#begin(spec, found.path, place)
    if (typeof started !== 'number') return { ok: true, process: started }
    this.#abandon(place)
    const reason = errnoText({ code: ERROR_NAMES.get(started), message: `error ${started}` })
    return { ok: false, reason: `fork/exec ${found.path}: ${reason}` }
  }

  inherit({ pids, descriptors }: Holdings): void {
    for (const pid of pids) {
      if (pid === 0) continue
      killGroup(pid)
      this.#reap(pid, () => {})
    }
    for (const fd of descriptors) if (fd !== 0) this.#libc.close(fd)
  }

  /** The process, or the error. What `place` holds after an error is to be let go. */
  #begin(spec: ProcessSpec, path: string, place: Place): StartedProcess | number {
    const error =
      this.#openPipe(place.stdout) ||
      (spec.isOutputTogether ? 0 : this.#openPipe(place.stderr)) ||
      this.#spawn(spec, path, place)
    if (error !== 0) return error
    this.#closeEnd(place.stdout, 1)
    this.#closeEnd(place.stderr, 1)
    return this.#attend(place)
  }

  #openPipe(ends: Int32Array): number {
    return this.#libc.pipe2(ends, O_CLOEXEC) === 0 ? 0 : this.#libc.errno()
  }

  #spawn(spec: ProcessSpec, path: string, place: Place): number {
    const own = toTexts(spec.environment.own)
    if (hasNul(spec.command) || spec.args.some(hasNul) || own.some(hasNul)) return EINVAL
    const environment = this.#environment.layOut(own, this.#addressesOf(spec.environment.inherited))
    const { pid, stdout, stderr } = place
    const errorOutput = spec.isOutputTogether ? stdout : stderr
    const libc = this.#libc
    const actions = this.#actions
    const run = (file: string, argv: readonly string[]): number =>
      libc.posixSpawn(pid, file, actions, this.#attributes, this.#arguments.layOut(argv), environment)
    libc.actionsInit(actions)
    const error =
      libc.actionsAddOpen(actions, 0, '/dev/null', 0, 0) ||
      libc.actionsAddDup2(actions, stdout[1]!, 1) ||
      libc.actionsAddDup2(actions, errorOutput[1]!, 2) ||
      // Node's own are closed anyway, but not all are Node's: the database is none of a command's business.
      (libc.actionsAddCloseFrom?.(actions, 3) ?? 0) ||
      (spec.dir === '' ? 0 : libc.actionsAddChdir(actions, spec.dir)) ||
      run(path, [spec.command, ...spec.args])
    // A script that does not say what runs it, as a shell would take it, and Node's way does.
    const result = error === ENOEXEC ? run('/bin/sh', ['/bin/sh', path, ...spec.args]) : error
    libc.actionsDestroy(actions)
    if (result !== 0) pid[0] = 0
    return result
  }

  /** Of an environment that is the same from start to start. */
  #addressesOf(inherited: NodeJS.ProcessEnv): Uint32Array {
    if (this.#inherited !== inherited) {
      this.#inherited = inherited
      const texts = toTexts(inherited)
      this.#inheritedAddresses = this.#inheritedTexts.layOut(texts).subarray(0, 2 * texts.length)
    }
    return this.#inheritedAddresses
  }

  /** Waits for the end of what was started. */
  #attend(place: Place): StartedProcess | number {
    const pid = place.pid[0]!
    const pidfd = this.#libc.pidfdOpen(pid)
    if (pidfd < 0) return this.#libc.errno()
    let onOver = (): void => {}
    const error = watchPidfd(this.#libc, this.#Handle, pidfd, () => onOver())
    if (error !== 0) return error
    const stdout = new CommandPipe(this.#libc, place.stdout)
    const stderr = place.stderr[0] === 0 ? null : new CommandPipe(this.#libc, place.stderr)
    const timer = setTimeout(() => {
      stdout.flow()
      stderr?.flow()
    }, FLOW_AFTER_MS)
    const letGo = (drains: number): void => {
      if (!drainFree(this.#libc, stdout, stderr) && drains < MOST_DRAINS) {
        setTimeout(letGo, SHARED_PIPE_MS, drains + 1)
        return
      }
      stdout.flow()
      stderr?.flow()
      this.#table.giveBack(place)
    }
    const exited = new Promise<ProcessExit>((resolve) => {
      onOver = () => {
        clearTimeout(timer)
        // From here on nobody may take its pid for it.
        place.pid[0] = 0
        letGo(1)
        this.#reap(pid, resolve)
      }
    })
    return { pid, stdout, stderr, exited }
  }

  /** Reaps a process that is over, or will be at any moment. */
  #reap(pid: number, settle: (exit: ProcessExit) => void): void {
    const reaped = this.#libc.waitpid(pid, this.#status, WNOHANG)
    if (reaped === 0) {
      setTimeout(() => this.#reap(pid, settle), REAP_EVERY_MS)
      return
    }
    // Where somebody else reaped it, a tool with native code of its own, nobody can say how it ended.
    settle(reaped === pid ? exitOf(this.#status[0]!) : { code: -1, signal: null })
  }

  /** After a start that failed half way. A process that cannot be waited for is ended before it got far. */
  #abandon(place: Place): void {
    const pid = place.pid[0]!
    if (pid !== 0) {
      killGroup(pid)
      place.pid[0] = 0
      this.#reap(pid, () => {})
    }
    for (const ends of [place.stdout, place.stderr]) {
      this.#closeEnd(ends, 0)
      this.#closeEnd(ends, 1)
    }
    this.#table.giveBack(place)
  }

  #closeEnd(ends: Int32Array, at: 0 | 1): void {
    const fd = ends[at]!
    if (fd === 0) return
    ends[at] = 0
    this.#libc.close(fd)
  }
}
