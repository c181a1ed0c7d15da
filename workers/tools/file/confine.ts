/**
 * Keeps `file` in one folder, EXECGO_FILE_ROOT. The way to a file is walked a folder at a time, each opened from the
 * descriptor of the one before (by `/proc/self/fd/<n>/<name>`, which is what openat does) and never through a symbolic
 * link: whatever somebody else renames or links meanwhile, no step leaves the folder. Links are not followed at all,
 * not even to a place within it.
 * @see contract B5
 */
import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open } from 'node:fs/promises'
import { posix } from 'node:path'
import { quote } from '../../../src/domain/quote.ts'
import { asSystemError, errnoText } from '../../reasons.ts'
import { FileProblem, type Place } from './operations.ts'

/** The path leads, or would lead, out of the folder. */
export class OutOfRoot extends Error {}

const FOLDER_MODE = 0o755
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** The names from `root` to `path`, which begins there where it is not absolute. */
const namesBelow = (root: string, path: string): string[] => {
  const below = posix.relative(root, posix.resolve(root, path))
  if (below === '..' || below.startsWith('../'))
    throw new OutOfRoot(`path ${quote(path)} is outside of EXECGO_FILE_ROOT`)
  return below.split('/').filter((name) => name !== '')
}

const inFolder = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`

const isLink = async (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  )

/** The folder `name` in `folder`; made first where that is wanted. */
const enter = async (
  folder: FileHandle,
  name: string,
  shown: string,
  isMaking: boolean,
): Promise<FileHandle> => {
  const path = inFolder(folder, name)
  try {
    if (isMaking) {
      await mkdir(path, FOLDER_MODE).catch((error) => {
        if (asSystemError(error).code !== 'EEXIST') throw error
      })
    }
    return await open(path, FOLDER)
  } catch (error) {
    if (await isLink(path)) throw new OutOfRoot(LINKED(shown))
    throw new FileProblem(`open directory: open ${shown}: ${errnoText(error)}`)
  }
}

const LINKED = (path: string): string =>
  `path ${quote(path)} goes through a symbolic link, which EXECGO_FILE_ROOT does not allow`

/**
 * Does `work` with the file that `path` means in `root`, which is absolute and without links. Throws {@link OutOfRoot}
 * where the path leads out.
 */
export const withinRoot = async <T>(
  root: string,
  path: string,
  isMaking: boolean,
  work: (place: Place) => Promise<T>,
): Promise<T> => {
  const names = namesBelow(root, path)
  // The folder itself, seen from itself: it can be looked at, and is no file.
  const last = names.pop() ?? '.'
  let folder = await open(root, FOLDER).catch((error: unknown) => {
    throw new FileProblem(`open directory: open ${root}: ${errnoText(error)}`)
  })
  try {
    for (const name of names) {
      const inner = await enter(folder, name, path, isMaking)
      await folder.close()
      folder = inner
    }
    const actual = inFolder(folder, last)
    // For the message: the work itself follows no link either.
    if (await isLink(actual)) throw new OutOfRoot(LINKED(path))
    return await work({ shown: path, actual, isConfined: true })
  } finally {
    await folder.close()
  }
}
