/** Which commits share a group, and when each is told: with a disk that does what the test says. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  GroupCommit,
  type GroupWriter,
  type Waiting,
  type Written,
} from '../../../../src/store/lmdb/group-commit.ts'
import { eventually } from '../../../support/eventually.ts'

const deferred = () => {
  let resolve = (): void => {}
  let reject = (_error: Error): void => {}
  const promise = new Promise<void>((onDone, onError) => {
    resolve = onDone
    reject = onError
  })
  return { promise, resolve, reject }
}

type Items = readonly Waiting<string>[]
const namesOf = (items: Items): string => items.map(({ item }) => item).join('')

/** Writes at the end of the turn, commits and syncs when it is told to. */
class Disk implements GroupWriter<string> {
  readonly groups: string[] = []
  readonly told: string[] = []
  readonly synced: string[] = []
  readonly failed: string[] = []
  readonly commits: ReturnType<typeof deferred>[] = []
  readonly syncs: ReturnType<typeof deferred>[] = []

  open(fill: () => void): Written {
    const [committed, flushed] = [deferred(), deferred()]
    this.commits.push(committed)
    this.syncs.push(flushed)
    setImmediate(fill)
    return { committed: committed.promise, flushed: flushed.promise }
  }

  /** One with a capital name has a group of its own. */
  write(items: Items): number {
    const alone = items.findIndex(({ item }) => item !== item.toLowerCase())
    const taken = alone === 0 ? 1 : alone < 0 ? items.length : alone
    this.groups.push(namesOf(items.slice(0, taken)))
    return taken
  }

  onCommitted(): void {}

  onFailed(items: Items): void {
    this.failed.push(namesOf(items))
  }

  onKept(items: Items): void {
    this.told.push(namesOf(items))
  }

  onSynced(items: Items): void {
    this.synced.push(namesOf(items))
  }
}

describe('group commit', () => {
  let disk = new Disk()
  let commits = new GroupCommit(disk)
  const events: string[] = []
  afterEach(async () => {
    // What is waited for keeps the process up.
    for (const { resolve } of [...disk.commits, ...disk.syncs]) resolve()
    await settle()
    disk = new Disk()
    commits = new GroupCommit(disk)
    events.length = 0
  })

  const add = (name: string, how: 'sync' | 'relaxed' | 'early' = 'sync'): void => {
    void commits.add(name, how !== 'sync', how === 'early').then(
      () => events.push(name),
      () => events.push(`${name}!`),
    )
  }
  /** Lets everything happen that can. */
  const settle = async (): Promise<void> => {
    for (let turns = 0; turns < 4; turns++) await nextTurn()
  }
  const commit = async (group: number): Promise<void> => {
    disk.commits[group]!.resolve()
    await settle()
  }
  const sync = async (group: number): Promise<void> => {
    disk.syncs[group]!.resolve()
    await settle()
  }

  it('what comes in one turn, and what comes while a group is written and synced, share a group each', async () => {
    add('a')
    add('b')
    await settle()
    add('c')
    await settle()
    assert.deepEqual(disk.groups, ['ab'])
    await commit(0)
    add('d')
    await settle()
    assert.deepEqual(disk.groups, ['ab'])
    assert.deepEqual(events, [])
    await sync(0)
    assert.deepEqual(events, ['a', 'b'])
    assert.deepEqual(disk.groups, ['ab', 'cd'])
  })

  it('one that takes something away has a group of its own, in its turn', async () => {
    for (const name of ['a', 'b', 'X', 'c', 'd']) add(name)
    for (let group = 0; group < 3; group++) {
      await settle()
      await commit(group)
      await sync(group)
    }
    assert.deepEqual(disk.groups, ['ab', 'X', 'cd'])
    assert.deepEqual(events, ['a', 'b', 'X', 'c', 'd'])
  })

  it('a relaxed one is told when it is written', async () => {
    add('a', 'relaxed')
    await settle()
    assert.deepEqual(events, [])
    await commit(0)
    assert.deepEqual([events, disk.synced], [['a'], []])
    await sync(0)
    assert.deepEqual(disk.synced, ['a'])
  })

  it('what survives the machine is told in order, whoever waits for it', async () => {
    add('a', 'relaxed')
    await settle()
    await commit(0)
    add('b')
    await sync(0)
    await commit(1)
    assert.deepEqual([disk.told, disk.synced], [['a'], ['a']])
    await sync(1)
    assert.deepEqual(
      [disk.told, disk.synced],
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
    )
    add('c', 'relaxed')
    await settle()
    await commit(2)
    disk.syncs[2]!.reject(new Error('no'))
    await settle()
    assert.deepEqual(
      [disk.told, disk.synced],
      [
        ['a', 'b', 'c'],
        ['a', 'b'],
      ],
    )
  })

  it('the same where a later group is synced first', async () => {
    add('a', 'relaxed')
    await settle()
    await commit(0)
    add('B', 'relaxed')
    await settle()
    await commit(1)
    await sync(1)
    assert.deepEqual([disk.told, disk.synced], [['a', 'B'], []])
    await sync(0)
    assert.deepEqual(disk.synced, ['a', 'B'])
  })

  it('nobody is told of a later group first', async () => {
    add('a')
    await settle()
    await commit(0)
    add('r', 'relaxed')
    await settle()
    assert.deepEqual(events, [])
    await sync(0)
    await commit(1)
    assert.deepEqual(events, ['a', 'r'])
    assert.deepEqual(disk.told, ['a', 'r'])
  })

  it('an early one is told at once, and goes with the next, or by itself a moment later', async () => {
    // In one turn: in the next ones the moment may be over.
    add('e', 'early')
    add('a')
    await settle()
    assert.deepEqual(events, ['e'])
    assert.deepEqual(disk.groups, ['ea'])
    await commit(0)
    await sync(0)
    add('f', 'early')
    await eventually('a group of its own', () => disk.groups.length === 2)
    assert.deepEqual(disk.groups, ['ea', 'f'])
  })

  it('of a group that fails, what was told goes again, first, and the others are told', async () => {
    add('e', 'early')
    add('a')
    await settle()
    add('b')
    disk.commits[0]!.reject(new Error('the disk is full'))
    await settle()
    assert.deepEqual(disk.failed, ['ea'])
    assert.deepEqual(events, ['e', 'a!'])
    add('f', 'early')
    await settle()
    assert.deepEqual(events, ['e', 'a!'], 'while writing fails nobody is told before')
    await eventually('the next try', () => disk.groups.length === 2)
    assert.deepEqual(disk.groups, ['ea', 'ebf'])
    await commit(1)
    await sync(1)
    assert.deepEqual(events, ['e', 'a!', 'b', 'f'])
  })

  it('ends when all is synced', async () => {
    add('e', 'early')
    const ended = commits.end().then(() => events.push('end'))
    await settle()
    await commit(0)
    assert.deepEqual(events, ['e'])
    await sync(0)
    await ended
    assert.deepEqual(events, ['e', 'end'])
  })
})
