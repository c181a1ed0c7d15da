/**
 * The tables of `<data-dir>/execgo.lmdb`.
 *
 * | table | key | value |
 * |---|---|---|
 * | meta | name | `format`, `id` (of this database, random), `lastKey` |
 * | accepts | accept number | the graphs accepted in one sync, JSON (accept-records.ts) |
 * | gone | [accept number, key] | how a task of that record, or one awaited by it, had ended whose own was removed (heads.ts) |
 * | starts | start number | attempts that began: triples of numbers (key, attempt, failures) |
 * | heads | batch number | where each finished task of a batch is (heads.ts) |
 * | batches | batch number | the JSON texts of finished tasks, one after the other (batches.ts) |
 * | graphs | key of the first | the records of finished graphs that follow one another, JSON (graph-records.ts) |
 * | answers | idempotency key | the first answer, JSON |
 * | handles | handle | key; handles that were taken over from the original server |
 * | events | number of its first event | the events of one group of commits, JSON (../events.ts); none for a time without |
 */
import { type Database, open, type RootDatabase } from 'lmdb'
import { bounded } from './problems.ts'

/**
 * The format of the tables. A database of a newer one is refused, one of an older one becomes one of this: nothing in it
 * is changed for that. 2 adds tasks that are written as what they differ by from the one before, 3 graphs that share an
 * entry.
 */
export const FORMAT = 3
export const OLDEST_FORMAT = 1

export interface Tables {
  readonly root: RootDatabase
  readonly meta: Database<Json, string>
  readonly accepts: Database<Buffer, number>
  readonly gone: Database<number, [number, number]>
  readonly starts: Database<Buffer, number>
  readonly heads: Database<Buffer, number>
  readonly batches: Database<Buffer, number>
  readonly graphs: Database<Json, number>
  readonly answers: Database<Json, string>
  readonly handles: Database<number, string>
  readonly events: Database<Buffer, number>
}

type Json = unknown

export const openTables = (path: string): Tables => {
  const root = open({
    path,
    noSubdir: true,
    maxDbs: 16,
    // A commit's promise is the commit; its `flushed` is the sync.
    separateFlushed: true,
    overlappingSync: true,
    // One writer: nothing else to wait for.
    commitDelay: 0,
  } as Parameters<typeof open>[0])
  const binary = (name: string) => root.openDB<Buffer, number>({ name, encoding: 'binary' })
  return {
    root,
    meta: root.openDB({ name: 'meta', encoding: 'json' }),
    accepts: binary('accepts'),
    gone: root.openDB({ name: 'gone', encoding: 'json' }),
    starts: binary('starts'),
    heads: binary('heads'),
    batches: binary('batches'),
    graphs: root.openDB({ name: 'graphs', encoding: 'json' }),
    answers: root.openDB({ name: 'answers', encoding: 'json' }),
    handles: root.openDB({ name: 'handles', encoding: 'json' }),
    events: binary('events'),
  }
}

/**
 * Each batch has a head. What a table alone says is checked before it is opened (page-check.ts).
 * @throws where one of them is missing
 */
export const checkTables = ({ heads, batches }: Tables): void => {
  const [found, said] = [entriesOf(heads), entriesOf(batches)]
  if (found !== said) throw new Error(`the file is damaged: it has ${found} heads of ${said} batches`)
}

const entriesOf = (table: Database<Buffer, number>): number =>
  (table.getStats() as { readonly entryCount: number }).entryCount

/** A transaction under way. */
export interface Transaction {
  /** @throws where it failed, and where nothing was heard of it for long */
  readonly committed: Promise<unknown>
  /** Never settles where the sync failed. */
  readonly flushed: Promise<unknown>
}

/**
 * Writes what `fill` writes, or none of it. Two things of LMDB are seen to here. Beside the promise that it gives out it
 * makes one of its own for the turn: where nobody heard of its failure, the process would be told of a rejection that is
 * not handled, and may end by it. And once its meta page could not be written, it settles nothing any more.
 */
export const transact = (
  { root }: { readonly root: RootDatabase },
  fill: () => void,
  withinMs?: number,
): Transaction => {
  const batch = root.batch(fill) as Promise<boolean> & { readonly flushed?: Promise<unknown> }
  // It is there at the end of the turn, after LMDB's own work of that moment.
  setImmediate(() => root.committed.then(ignore, ignore))
  return { committed: bounded(batch, withinMs), flushed: batch.flushed ?? root.flushed }
}

/** A write that is part of a transaction: whether it was written is told once, by the whole. */
export const part = (write: Promise<boolean>): void => {
  write.catch(ignore)
}

const ignore = (): void => {}
