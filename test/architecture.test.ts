/** The walls of the house, read from the import lines: see the room table in ARCHITECTURE.md. */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { root } from './support/daemon.ts'

const filesIn = (path: string): string[] =>
  statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => filesIn(join(path, name))) : [path]

/** What each file imports: paths from the root for our own, names for packages. */
const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g)].map(([, name]) =>
    name!.startsWith('.') ? relative(root, join(dirname(file), name!)) : name!,
  )

interface Room {
  readonly name: string
  readonly files: RegExp
  /** Everything that it imports must match one of these. */
  readonly may: readonly RegExp[]
}

const own = (path: string): RegExp => new RegExp(`^${path}`)

const ROOMS: readonly Room[] = [
  { name: 'domain', files: /^src\/domain\//, may: [own('src/domain/')] },
  {
    name: 'store',
    files: /^src\/store\//,
    may: [
      own('src/domain/'),
      own('src/store/'),
      own('src/process-identity.ts'),
      own('src/thread-entry.ts'),
      /^node:/,
      /^lmdb$/,
    ],
  },
  {
    name: 'pool',
    files: /^src\/pool\//,
    may: [own('src/domain/'), own('src/pool/'), /^node:/, /^piscina$/],
  },
  {
    name: 'scheduler',
    files: /^src\/scheduler\//,
    may: [
      own('src/domain/'),
      own('src/scheduler/'),
      own('src/store/(store|events).ts'),
      own('src/pool/(executor|messages).ts'),
    ],
  },
  {
    name: 'service and schemas',
    files: /^src\/api\/[^/]+$/,
    may: [
      own('src/domain/'),
      own('src/api/[^/]+$'),
      own('src/scheduler/'),
      own('src/store/(store|events).ts'),
      own('src/api/guard/caller.ts'),
      /^(valibot|leven)$/,
      /^node:(crypto|timers\/promises)$/,
    ],
  },
  {
    name: 'guard',
    files: /^src\/api\/guard\//,
    may: [
      own('src/domain/'),
      own('src/api/guard/'),
      own('src/process-identity.ts'),
      /^rate-limiter-flexible$/,
      /^node:/,
    ],
  },
  {
    name: 'http',
    files: /^src\/api\/http\//,
    may: [
      own('src/domain/'),
      own('src/api/[^/]+$'),
      own('src/api/http/'),
      own('src/api/guard/'),
      own('src/api/openapi/'),
      own('src/metrics/exposition.ts'),
      own('src/(address|package-root).ts'),
      /^hono/,
      /^@hono\//,
      /^node:/,
    ],
  },
  {
    name: 'grpc',
    files: /^src\/api\/grpc\//,
    may: [
      own('src/domain/'),
      own('src/api/[^/]+$'),
      own('src/api/grpc/'),
      own('src/api/guard/'),
      own('src/(address|package-root).ts'),
      /grpc/,
      /^node:/,
    ],
  },
  {
    name: 'mcp',
    files: /^src\/api\/mcp\//,
    may: [
      own('src/domain/'),
      own('src/api/[^/]+$'),
      own('src/api/mcp/'),
      own('src/api/guard/(caller|scopes).ts'),
      own('src/api/openapi/'),
      /^@modelcontextprotocol\/server$/,
      /^valibot$/,
      /^node:timers\/promises$/,
    ],
  },
  {
    name: 'commands',
    files: /^src\/commands\//,
    may: [
      own('src/commands/'),
      own('src/client/'),
      own('src/domain/'),
      own('src/api/(graph-problems|guard/add-token|guard/scopes).ts'),
      own('src/api/mcp/(backend|server).ts'),
      // `run` is a kernel with the daemon's settings.
      own('src/(version|index|config|flags).ts'),
      /^(commander|string-width|yaml)$/,
      /^@modelcontextprotocol\/server\/stdio$/,
      /^node:/,
    ],
  },
  {
    name: 'kernel',
    files: /^src\/(kernel\/|index\.ts)/,
    may: [
      own('src/kernel/'),
      own('src/client/'),
      own('src/domain/'),
      own('src/api/[^/]+$'),
      own('src/scheduler/'),
      own('src/store/lmdb/lmdb-store.ts'),
      own('src/pool/pool.ts'),
      own('src/metrics/'),
      own('src/mcp/host.ts'),
      own('src/(config|open-mcp-host|version).ts'),
      own('workers/tools/(define-)?tool.ts'),
      /^valibot$/,
      /^node:(fs|fs\/promises|os|path|url)$/,
    ],
  },
  {
    name: 'mcp',
    files: /^src\/mcp\//,
    may: [own('src/domain/'), own('src/mcp/'), own('src/thread-entry.ts'), /^valibot$/, /^node:/],
  },
  { name: 'client', files: /^src\/client\//, may: [own('src/client/')] },
  {
    name: 'workers',
    files: /^workers\//,
    may: [
      own('workers/'),
      own('src/domain/'),
      own('src/pool/messages.ts'),
      own('src/pool/rows.ts'),
      own('src/mcp/messages.ts'),
      /^node:/,
      /^koffi$/,
      /^ipaddr\.js$/,
      /^@modelcontextprotocol\/client$/,
    ],
  },
]

for (const room of ROOMS) {
  test(`${room.name} imports only what it may`, () => {
    const files = ['src', 'workers']
      .flatMap((folder) => filesIn(join(root, folder)))
      .filter((file) => room.files.test(relative(root, file)))
    assert.ok(files.length > 0)
    for (const file of files) {
      for (const name of importsOf(file)) {
        assert.ok(
          room.may.some((allowed) => allowed.test(name)),
          `${relative(root, file)} imports ${name}`,
        )
      }
    }
  })
}

/** What a module loads when it is loaded: types are gone by then, and what is imported later is not there yet. */
const loadedWith = (entry: string): Set<string> => {
  const loaded = new Set([entry])
  for (const file of loaded) {
    if (!file.endsWith('.ts')) continue
    const text = readFileSync(join(root, file), 'utf8')
    for (const [, name] of text.matchAll(/^(?:import|export) (?!type )(?:[\w{*][^'=]*? from )?'([^']+)'/gm))
      loaded.add(name!.startsWith('.') ? relative(root, join(root, dirname(file), name!)) : name!)
  }
  return loaded
}

test('only the thread of the MCP servers loads what talks with them', () => {
  const isClient = (name: string): boolean => name.startsWith('@modelcontextprotocol/client')
  for (const entry of ['src/main.ts', 'workers/run.ts']) {
    const loaded = loadedWith(entry)
    assert.ok(loaded.size > 30, `${entry} loads ${loaded.size}`)
    assert.deepEqual([...loaded].filter(isClient), [], entry)
  }
  assert.ok([...loadedWith('workers/mcp/thread.ts')].some(isClient))
})

test('piscina, lmdb, koffi and the wires have one importer each', () => {
  const importers = (name: RegExp): string[] =>
    ['src', 'workers']
      .flatMap((folder) => filesIn(join(root, folder)))
      .filter((file) => importsOf(file).some((imported) => name.test(imported)))
      .map((file) => relative(root, file))
  for (const file of importers(/^piscina$/)) assert.match(file, /^src\/pool\//)
  for (const file of importers(/^lmdb$/)) assert.match(file, /^src\/store\//)
  for (const file of importers(/^koffi$/)) assert.match(file, /^workers\/process\/posix-spawn\//)
  for (const file of importers(/^hono|^@hono/)) assert.match(file, /^src\/api\/http\//)
  for (const file of importers(/^@modelcontextprotocol\/client/)) assert.match(file, /^workers\/mcp\//)
  for (const file of importers(/^@grpc|^grpc-/)) assert.match(file, /^src\/api\/grpc\//)
  for (const file of importers(/^@modelcontextprotocol\/server/))
    assert.match(file, /^src\/(api\/mcp\/|commands\/mcp\.ts$)/)
  assert.deepEqual(
    importers(/^pino$/).filter((file) => !['src/logger.ts', 'src/main.ts'].includes(file)),
    [],
  )
})

test('neither the daemon nor a command waits for what only an MCP client needs', () => {
  for (const start of ['src/daemon-process.ts', 'src/commands/program.ts']) {
    const loaded = [...loadedWith(start)]
    assert.ok(loaded.includes('src/version.ts'), start)
    assert.deepEqual(
      loaded.filter((name) => name.startsWith('@modelcontextprotocol') || name === 'src/api/mcp/server.ts'),
      [],
    )
  }
  assert.ok(loadedWith('src/api/mcp/endpoint.ts').has('@modelcontextprotocol/server'))
})
