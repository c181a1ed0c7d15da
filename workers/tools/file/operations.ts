/**
 * What `file` does to the disk. Each operation throws a `FileProblem` with the message that the task fails with:
 * `read file: open /x: no such file or directory`.
 */
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, rmdir, stat, unlink } from 'node:fs/promises'
import { posix } from 'node:path'
import type { JsonObject } from '../../../src/domain/json.ts'
import { asSystemError, errnoText } from '../../reasons.ts'
import { modeText, nanosecondTime } from './file-mode.ts'

/** A file, as messages name it and as the system is asked for it. */
export interface Place {
  readonly shown: string
  /** Leads through the folder's descriptor where the file is confined. */
  readonly actual: string
  /** Its folders are there already, and it must not be a symbolic link. */
  readonly isConfined: boolean
}

/** An expected failure of the operating system's, in its final words. */
export class FileProblem extends Error {}

const FILE_MODE = 0o644
const FOLDER_MODE = 0o755
const CHUNK_BYTES = 64 * 1024

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants

const noFollow = ({ isConfined }: Place): number => (isConfined ? O_NOFOLLOW : 0)

/** Runs `work`; its failure becomes `<what>: <call> <path>: <reason>`. */
const guard = async <T>(what: string, call: string, path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw new FileProblem(`${what}: ${call} ${path}: ${errnoText(error)}`)
  }
}

const readAll = async (handle: FileHandle, expectedBytes: number, limitBytes: number): Promise<Buffer> => {
  let bytes = Buffer.allocUnsafe(Math.min(expectedBytes, limitBytes) + 1)
  let filled = 0
  for (;;) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, null)
    filled += bytesRead
    if (bytesRead === 0 || filled > limitBytes) return bytes.subarray(0, filled)
    if (filled < bytes.length) continue
    // It grew, or is one whose size the system does not know: /proc, a device.
    const grown = Buffer.allocUnsafe(Math.min(bytes.length * 2 + CHUNK_BYTES, limitBytes + 1))
    bytes.copy(grown, 0, 0, filled)
    bytes = grown
  }
}

/** The bytes of a file, at most `limitBytes`: a larger one is refused, also one that only turns out to be. */
export const readBounded = async (place: Place, limitBytes: number): Promise<Buffer> => {
  // Without O_NONBLOCK a named pipe that nobody writes would hold one of libuv's few threads for good.
  const { shown: path, actual } = place
  const flags = O_RDONLY | O_NONBLOCK | noFollow(place)
  const handle = await guard('read file', 'open', path, () => open(actual, flags))
  try {
    const { size } = await guard('read file', 'stat', path, () => handle.stat())
    const tooLarge = (bytes: number): FileProblem =>
      new FileProblem(`read file: file too large (${bytes} bytes, limit ${limitBytes})`)
    if (size > limitBytes) throw tooLarge(size)
    const bytes = await guard('read file', 'read', path, () => readAll(handle, size, limitBytes))
    if (bytes.length > limitBytes) throw tooLarge(Math.max(size, bytes.length))
    return bytes
  } finally {
    await handle.close()
  }
}

/** Which of the folders on the way to `folder` cannot be, from the top down: what mkdir itself does not say. */
const blockedFolder = async (folder: string, reason: unknown): Promise<string> => {
  const parent = posix.dirname(folder)
  if (parent !== folder && parent !== '.') {
    const found = await stat(parent).catch(() => null)
    if (found === null || !found.isDirectory()) return blockedFolder(parent, reason)
  }
  const here = await stat(folder).catch(() => null)
  return `${folder}: ${here !== null && !here.isDirectory() ? 'not a directory' : errnoText(reason)}`
}

/**
 * Makes a folder, and those above it. Not by Node's own recursive mkdir: below /proc, where a folder is there and yet
 * takes none, that one tries for ever.
 */
const makeFolders = async (folder: string, mayMakeParents = true): Promise<void> => {
  const found = await mkdir(folder, FOLDER_MODE).catch((error: NodeJS.ErrnoException) => error)
  if (found === undefined) return
  if (found.code === 'EEXIST' && (await stat(folder)).isDirectory()) return
  const parent = posix.dirname(folder)
  if (!mayMakeParents || found.code !== 'ENOENT' || parent === folder) throw found
  await makeFolders(parent)
  await makeFolders(folder, false)
}

const makeFolder = async (folder: string): Promise<void> => {
  try {
    await makeFolders(folder)
  } catch (error) {
    throw new FileProblem(`create directory: mkdir ${await blockedFolder(folder, error)}`)
  }
}

/** Writes `bytes` over the file, or at its end. Its folders are made. */
export const writeInto = async (place: Place, bytes: Buffer, flag: 'w' | 'a'): Promise<void> => {
  const { shown: path, actual, isConfined } = place
  if (!isConfined) await makeFolder(posix.dirname(path))
  const flags = O_WRONLY | O_CREAT | O_NONBLOCK | (flag === 'w' ? O_TRUNC : O_APPEND) | noFollow(place)
  const handle = await guard('open file', 'open', path, () => open(actual, flags, FILE_MODE))
  try {
    await guard('write file', 'write', path, () => handle.writeFile(bytes))
  } finally {
    await handle.close()
  }
}

/** Removes a file, a link or an empty folder. */
export const removePath = ({ shown, actual: path }: Place): Promise<void> =>
  guard('delete file', 'remove', shown, async () => {
    try {
      await unlink(path)
    } catch (error) {
      const { code } = asSystemError(error)
      if (code !== 'EISDIR' && code !== 'EPERM') throw error
      await rmdir(path).catch((folderError) => {
        throw asSystemError(folderError).code === 'ENOTDIR' ? error : folderError
      })
    }
  })

export const statPath = async ({ shown: path, actual, isConfined }: Place): Promise<JsonObject> => {
  const look = isConfined ? lstat : stat
  const found = await guard('stat file', 'stat', path, () => look(actual, { bigint: true }))
  return {
    is_dir: found.isDirectory(),
    mod_time: nanosecondTime(found.mtimeNs),
    mode: modeText(Number(found.mode)),
    name: posix.basename(path) || '/',
    size: Number(found.size),
  }
}
