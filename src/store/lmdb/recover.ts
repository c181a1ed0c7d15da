/** The first thing at a start: what was told and is in the journal alone comes into the tables. */
import type { Tables } from './database.ts'
import { entriesIn, putEntrySync } from './entries.ts'
import { Journal } from './journal.ts'
import { storeProblem } from './problems.ts'
import { ensureRoom } from './room.ts'

/** Takes into the tables what the journal has and they do not: a crash came between. */
export const recover = async (tables: Tables, dataDir: string): Promise<Journal> => {
  const id = String(tables.meta.get('id'))
  let last = Number(tables.meta.get('applied') ?? 0)
  const records = Journal.read(dataDir, id, last)
  try {
    last += records.length
    if (records.length > 0)
      ensureRoom(
        dataDir,
        records.reduce((sum, record) => sum + record.length, 0),
      )
    // Synced when it returns, also what was put there before a crash and not synced: the journal begins anew after it.
    tables.root.transactionSync(() => {
      for (const record of records) for (const entry of entriesIn(record)) putEntrySync(tables, entry)
      tables.meta.putSync('applied', last)
    })
    return Journal.open(dataDir, id, last)
  } catch (error) {
    throw await storeProblem(error, dataDir)
  }
}
