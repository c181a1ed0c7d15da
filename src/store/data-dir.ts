/** The data directory: made where it is missing, and tried before anything is accepted that could not be kept in it. */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/** Makes `dataDir` and writes a file in it, gone again at once. Throws, naming the setting, where that cannot be done. */
export const prepareDataDir = async (dataDir: string): Promise<void> => {
  try {
    await makeFolder(resolve(dataDir))
    const probe = join(dataDir, `.probe-${process.pid}`)
    await writeFile(probe, '')
    await rm(probe, { force: true })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`-data-dir: cannot write in ${dataDir}: ${reason}`, { cause: error })
  }
}

/** Node's own recursive mkdir never returns below /proc, where a folder is there and yet takes none: it tries for ever. */
const makeFolder = async (path: string, mayMakeParents = true): Promise<void> => {
  const found = await mkdir(path).catch((error: NodeJS.ErrnoException) => error)
  if (found === undefined) return
  if (found.code === 'EEXIST' && (await stat(path)).isDirectory()) return
  const parent = dirname(path)
  if (!mayMakeParents || found.code !== 'ENOENT' || parent === path) throw found
  await makeFolder(parent)
  await makeFolder(path, false)
}
