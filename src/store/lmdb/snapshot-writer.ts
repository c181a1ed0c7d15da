/** Has `state.json` written by a thread that reads the database: the main thread does not stall for it. */
import { Worker } from 'node:worker_threads'
import { join } from 'node:path'
import { ENDING, threadEntry } from '../../thread-entry.ts'

export interface SnapshotWriterOptions {
  readonly dataDir: string
  /** 0 = never. */
  readonly stateJsonEveryMs: number
  readonly onProblem: (error: unknown, what: string) => void
}

/** What the thread is started with. */
export interface SnapshotRequest {
  readonly dataDir: string
  readonly databasePath: string
  readonly nowMs: number
}

const ENTRY = threadEntry(new URL(`./snapshot-thread.${ENDING}`, import.meta.url))

export class SnapshotWriter {
  readonly #options: SnapshotWriterOptions
  #timer: NodeJS.Timeout | null = null
  /** Since it was written last. The process before may have been killed before it wrote what it changed. */
  #hasChanged = true
  #writing: Promise<void> | null = null

  constructor(options: SnapshotWriterOptions) {
    this.#options = options
  }

  start(): void {
    const everyMs = this.#options.stateJsonEveryMs
    if (everyMs === 0) return
    this.#timer = setInterval(() => {
      if (this.#writing === null) void this.#write()
    }, everyMs)
    this.#timer.unref()
  }

  noteChange(): void {
    this.#hasChanged = true
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#writing
    if (this.#options.stateJsonEveryMs > 0) await this.#write()
  }

  async #write(): Promise<void> {
    if (!this.#hasChanged) return
    this.#hasChanged = false
    this.#writing = this.#runThread().catch((error: unknown) => {
      this.#hasChanged = true
      this.#options.onProblem(error, 'state.json could not be written (the database has everything)')
    })
    await this.#writing
    this.#writing = null
  }

  #runThread(): Promise<void> {
    const { dataDir } = this.#options
    const workerData: SnapshotRequest = {
      dataDir,
      databasePath: join(dataDir, 'execgo.lmdb'),
      nowMs: Date.now(),
    }
    return new Promise((resolve, reject) => {
      const worker = new Worker(ENTRY, { eval: true, workerData })
      worker.once('error', reject)
      worker.once('exit', (code) =>
        code === 0 ? resolve() : reject(new Error(`the thread ended with ${code}`)),
      )
    })
  }
}
