/** Pages of the list of tasks over both wires, from one daemon. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { status as grpcStatus } from '@grpc/grpc-js'
import { root, startDaemon } from '../support/daemon.ts'
import { call, connect, serviceIn } from '../support/grpc-transcript.ts'

interface Page {
  readonly ids: string[]
  /** `''` where nothing follows. */
  readonly next: string
}

type Asked = Readonly<Record<string, string>>

interface Lister {
  readonly limit: string
  readonly cursor: string
  page(asked: Asked): Promise<Page>
  refusal(asked: Asked): Promise<string>
}

const daemon = await startDaemon()
const Client = serviceIn(join(root, 'proto/execgo/v1/execgo.proto'), 'execgo.v1.ExecGo')
const client = connect(Client, daemon.grpcAddress)
after(async () => {
  client.close()
  await daemon.stop()
})

const http: Lister = {
  limit: 'limit',
  cursor: 'cursor',
  async page(asked) {
    const { status, body, headers } = await daemon.request('GET', `/tasks?${new URLSearchParams(asked)}`)
    assert.equal(status, 200)
    const next = headers.get('x-next-cursor') ?? ''
    const link = headers.get('link')
    if (next === '') assert.equal(link, null)
    else {
      const [, path] = /^<(\/tasks\?[^>]+)>; rel="next"$/.exec(link ?? '') ?? []
      const query = new URL(path!, daemon.url).searchParams
      assert.deepEqual(Object.fromEntries(query), { ...asked, cursor: next })
    }
    return { ids: body.map(({ id }: { id: string }) => id), next }
  },
  async refusal(asked) {
    const { status, body } = await daemon.request('GET', `/tasks?${new URLSearchParams(asked)}`)
    assert.equal(status, 400)
    return body.error
  },
}

const grpc: Lister = {
  limit: 'page_size',
  cursor: 'page_token',
  async page({ page_size, ...asked }) {
    const size = page_size === undefined ? {} : { page_size: Number(page_size) }
    const { message } = await call(client, 'ListTasks', { ...asked, ...size })
    return { ids: message.tasks.map(({ id }: { id: string }) => id), next: message.next_page_token }
  },
  async refusal(asked) {
    const error = await this.page(asked).then(
      () => assert.fail('it was answered'),
      (refused: { code: number; details: string }) => refused,
    )
    assert.equal(error.code, grpcStatus.INVALID_ARGUMENT)
    return error.details
  },
}

const { body: first } = await daemon.request('POST', '/tasks', {
  tasks: [
    ...Array.from({ length: 120 }, (_, at) => ({ id: `n/${at}`, type: 'noop' })),
    { id: 'far', type: 'noop', delay_ms: 600_000 },
  ],
})
await daemon.submit([
  { id: 'é 1&=', type: 'shell', params: { command: 'echo' } },
  { id: 'bad', type: 'shell', params: { command: 'nothing-like-it' } },
])
await daemon.settled('n/119')
await daemon.settled('é 1&=')
await daemon.settled('bad')

for (const [name, lister] of Object.entries({ http, grpc })) {
  const { limit, cursor } = lister
  const all = async (asked: Asked): Promise<string[][]> => {
    const pages: string[][] = []
    for (let next = ''; ; ) {
      const page: Page = await lister.page(next === '' ? asked : { ...asked, [cursor]: next })
      pages.push(page.ids)
      if (page.next === '') return pages
      next = page.next
    }
  }

  describe(`pages over ${name}`, () => {
    test('go through all tasks, a hundred at a time unless told otherwise', async () => {
      const pages = await all({ order: 'created' })
      assert.deepEqual(
        pages.map((ids) => ids.length),
        [100, 23],
      )
      assert.deepEqual(pages.flat().slice(118), ['n/118', 'n/119', 'far', 'é 1&=', 'bad'])
      const back = await all({ order: '-created', [limit]: '50' })
      assert.deepEqual(
        back.map((ids) => ids.length),
        [50, 50, 23],
      )
      assert.deepEqual(back.flat().reverse(), pages.flat())
    })

    test('hold what is asked for, and that alone', async () => {
      for (const [asked, ids] of [
        [{ status: 'pending' }, ['far']],
        [{ status: 'failed' }, ['bad']],
        [{ status: 'running' }, []],
        [{ type: 'shell' }, ['é 1&=', 'bad']],
        [{ type: 'os', tool: 'shell', status: 'success' }, ['é 1&=']],
        [{ type: 'mcp' }, []],
        [{ prefix: 'é ' }, ['é 1&=']],
        [
          { prefix: 'n/11', order: '-created', [limit]: '1000' },
          [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((n) => `n/11${n}`).concat('n/11'),
        ],
        [{ graph_id: first.graph_id, prefix: 'f' }, ['far']],
        [{ graph_id: 'g-999999' }, []],
      ] as const)
        assert.deepEqual((await all(asked)).flat(), ids, JSON.stringify(asked))
    })

    test('are refused where a value is wrong, by its name, the value and what is allowed', async () => {
      const other = (await lister.page({ order: 'created' })).next
      for (const [asked, message] of [
        [{ status: 'done' }, 'status must be one of pending, running, success, failed, skipped (got "done")'],
        [{ type: 'x' }, `type must be one of cli-skills, mcp, os, or a tool's name (got "x")`],
        [{ type: 'shell', tool: 'file' }, 'tool must be shell as the type is (got "file")'],
        [{ graph_id: '7' }, 'graph_id must be g- and a number (got "7")'],
        [{ order: 'updated' }, 'order must be created or -created (got "updated")'],
        [{ [limit]: '1001' }, `${limit} must be from 1 to 1000 (got "1001")`],
        [{ [limit]: '-1' }, `${limit} must be from 1 to 1000 (got "-1")`],
        [{ [cursor]: 'x' }, `${cursor} must be what the page before gave, in the same order (got "x")`],
        [
          { [cursor]: other, order: '-created' },
          `${cursor} must be what the page before gave, in the same order (got "${other}")`,
        ],
      ] as const)
        assert.equal(await lister.refusal(asked), message)
    })
  })
}

test('without any of the parameters the list is all of them', async () => {
  assert.equal((await daemon.request('GET', '/tasks')).body.length, 123)
  assert.equal((await daemon.request('GET', '/tasks?colour=red')).body.length, 123)
  assert.equal((await call(client, 'ListTasks', {})).message.tasks.length, 123)
  const { body, headers } = await daemon.request('GET', '/tasks?limit=&status=')
  assert.equal(body.length, 100)
  assert.notEqual(headers.get('x-next-cursor'), null)
  const refused = await daemon.request('GET', '/tasks?limit=0')
  assert.deepEqual(refused.body, { error: 'limit must be from 1 to 1000 (got "0")' })
})
