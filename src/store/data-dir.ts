/** The data directory: made where it is missing, and tried before anything is accepted that could not be kept in it. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Makes `dataDir` and writes a file in it, gone again at once. Throws, naming the setting, where that cannot be done. */
export const prepareDataDir = async (dataDir: string): Promise<void> => {
  try {
    await mkdir(dataDir, { recursive: true })
    const probe = join(dataDir, `.probe-${process.pid}`)
    await writeFile(probe, '')
    await rm(probe, { force: true })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`-data-dir: cannot write in ${dataDir}: ${reason}`, { cause: error })
  }
}
