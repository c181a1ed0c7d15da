/**
 * The C library's own functions, called through koffi. Whatever is missing (koffi has no build for this machine,
 * the library is not glibc, or is one before 2.29) throws here, before anything is started.
 *
 * Arguments are numbers, texts and memory, nothing else: koffi reads arrays and objects through calls that fail while
 * the thread is being ended from outside, and then it ends the whole process.
 */

/** Memory that the library reads or writes. */
type Memory = Buffer | Int32Array | Uint32Array

/** As in the manual pages. */
export interface Libc {
  /** Of the last call that returned -1. */
  errno(): number
  address(memory: Buffer): bigint
  pipe2(ends: Int32Array, flags: number): number
  poll(descriptors: Int32Array, count: number, timeoutMs: number): number
  read(fd: number, into: Buffer, mostBytes: number): number
  close(fd: number): number
  pidfdOpen(pid: number): number
  waitpid(pid: number, status: Int32Array, options: number): number
  /** This and the following return 0, or the error itself. */
  posixSpawn(
    pid: Int32Array,
    path: string,
    actions: Memory,
    attributes: Memory,
    argv: Memory,
    envp: Memory,
  ): number
  actionsInit(actions: Memory): number
  actionsDestroy(actions: Memory): number
  actionsAddOpen(actions: Memory, fd: number, path: string, flags: number, mode: number): number
  actionsAddDup2(actions: Memory, from: number, to: number): number
  actionsAddChdir(actions: Memory, path: string): number
  /** Null in glibc before 2.34. */
  readonly actionsAddCloseFrom: ((actions: Memory, least: number) => number) | null
  attributesInit(attributes: Memory): number
  attributesSetFlags(attributes: Memory, flags: number): number
  attributesSetSignalMask(attributes: Memory, signals: Memory): number
  attributesSetSignalDefault(attributes: Memory, signals: Memory): number
}

/** More than any of the library's types needs: the largest of those used, `posix_spawnattr_t`, has 336 bytes. */
const OPAQUE_BYTES = 512

/** Zeroed memory for a type that only the library knows from within. */
export const opaque = (): Buffer => Buffer.alloc(OPAQUE_BYTES)

/** The same on every machine. */
const SYS_PIDFD_OPEN = 434

/** @throws where a function is not there; the message says which */
export const loadLibc = async (): Promise<Libc> => {
  const { default: koffi } = await import('koffi')
  const library = koffi.load('libc.so.6')
  const [int, long, text, memory] = ['int', 'long', 'str', 'void *'] as const
  const bind = (name: string, ...parameters: string[]) => library.func(name, int, parameters)
  const syscall = library.func('syscall', long, [long, long, long])
  const bindIfThere = (name: string, ...parameters: string[]) => {
    try {
      return bind(name, ...parameters)
    } catch {
      return null
    }
  }
  const actions = 'posix_spawn_file_actions_'
  const attributes = 'posix_spawnattr_'
  return {
    errno: () => koffi.errno(),
    address: (buffer) => koffi.address(buffer),
    pipe2: bind('pipe2', memory, int),
    poll: bind('poll', memory, 'unsigned long', int),
    read: library.func('read', 'intptr_t', [int, memory, 'size_t']),
    close: bind('close', int),
    pidfdOpen: (pid) => syscall(SYS_PIDFD_OPEN, pid, 0),
    waitpid: bind('waitpid', int, memory, int),
    posixSpawn: bind('posix_spawn', memory, text, memory, memory, memory, memory),
    actionsInit: bind(`${actions}init`, memory),
    actionsDestroy: bind(`${actions}destroy`, memory),
    actionsAddOpen: bind(`${actions}addopen`, memory, int, text, int, int),
    actionsAddDup2: bind(`${actions}adddup2`, memory, int, int),
    actionsAddChdir: bind(`${actions}addchdir_np`, memory, text),
    actionsAddCloseFrom: bindIfThere(`${actions}addclosefrom_np`, memory, int),
    attributesInit: bind(`${attributes}init`, memory),
    attributesSetFlags: bind(`${attributes}setflags`, memory, 'short'),
    attributesSetSignalMask: bind(`${attributes}setsigmask`, memory, memory),
    attributesSetSignalDefault: bind(`${attributes}setsigdefault`, memory, memory),
  }
}
