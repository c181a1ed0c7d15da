/** Every way of keeping tasks, for suites that run over each. */
import { LmdbStore } from '../../src/store/lmdb/lmdb-store.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'

const fail = (error: unknown): never => {
  throw error
}

export const STORES: Readonly<Record<string, (dataDir: string, nowMs: () => number) => Store>> = {
  memory: (dataDir, nowMs) => new MemoryStore({ dataDir, saveEveryMs: 0, nowMs, onSaveError: fail }),
  lmdb: (dataDir, nowMs) =>
    new LmdbStore({
      dataDir,
      nowMs,
      stateJsonEveryMs: 60_000,
      retention: { maxAgeMs: 0, maxTasks: 0 },
      onProblem: fail,
    }),
}
