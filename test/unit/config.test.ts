import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Config, USAGE, readConfig } from '../../src/config.ts'
import { ConfigError } from '../../src/flags.ts'
import { DEFAULT_LIMITS } from '../../src/domain/limits.ts'

const configOf = (argv: readonly string[], env: Record<string, string | undefined> = {}): Config => {
  const invocation = readConfig(argv, env)
  assert.ok(invocation.kind === 'daemon')
  return invocation.config
}

const problemOf = (argv: readonly string[], env: Record<string, string> = {}): string => {
  try {
    readConfig(argv, env)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    assert.doesNotMatch(error.message, /\n/)
    return error.message
  }
  return assert.fail('it should have been refused')
}

describe('readConfig without anything', () => {
  it('is what the contract says', () => {
    const config = configOf([])
    assert.deepEqual(
      {
        addr: config.addr,
        grpcAddr: config.grpcAddr,
        dataDir: config.dataDir,
        maxConcurrency: config.maxConcurrency,
        shutdownTimeoutMs: config.shutdownTimeoutMs,
        shellPolicy: config.shellPolicy,
        spawn: config.spawn,
        graceMs: config.graceMs,
        limits: config.limits,
      },
      {
        addr: { host: '127.0.0.1', port: 8080 },
        grpcAddr: { host: '127.0.0.1', port: 50_051 },
        dataDir: './data',
        maxConcurrency: 10,
        shutdownTimeoutMs: 15_000,
        shellPolicy: 'allow-list',
        spawn: 'auto',
        graceMs: 5000,
        limits: DEFAULT_LIMITS,
      },
    )
    assert.ok(Object.isFrozen(config))
  })
})

/** Flag, variable, a value, another one, and what is read. */
const SETTINGS: readonly (readonly [
  flag: string,
  env: string,
  one: string,
  two: string,
  read: (config: Config) => string,
])[] = [
  [
    'addr',
    'EXECGO_ADDR',
    ':1',
    '[::1]:2',
    ({ addr }) => (addr.port === 1 ? ':1' : `[${addr.host}]:${addr.port}`),
  ],
  ['grpc-addr', 'EXECGO_GRPC_ADDR', ':1', ':2', ({ grpcAddr }) => `:${grpcAddr.port}`],
  ['data-dir', 'EXECGO_DATA_DIR', '/tmp/a b', '-', ({ dataDir }) => dataDir],
  ['max-concurrency', 'EXECGO_MAX_CONCURRENCY', '1', '100000', ({ maxConcurrency }) => `${maxConcurrency}`],
  [
    'shutdown-timeout',
    'EXECGO_SHUTDOWN_TIMEOUT',
    '0',
    '30',
    (config) => `${config.shutdownTimeoutMs / 1000}`,
  ],
]

describe('readConfig takes', () => {
  for (const [flag, env, one, two, read] of SETTINGS) {
    it(`-${flag}, with one dash or two, with = or a space`, () => {
      for (const argv of [[`-${flag}`, one], [`--${flag}`, one], [`-${flag}=${one}`], [`--${flag}=${one}`]])
        assert.equal(read(configOf(argv)), one, argv.join(' '))
    })

    it(`${env}, over which the flag wins`, () => {
      assert.equal(read(configOf([], { [env]: two })), two)
      assert.equal(read(configOf([`-${flag}`, one], { [env]: two })), one)
      assert.equal(read(configOf([`-${flag}`, one], { [env]: 'not looked at ::' })), one)
    })

    it(`an empty ${env} as one that is not set`, () =>
      assert.equal(read(configOf([], { [env]: '' })), read(configOf([], { [env]: undefined }))))

    it(`the last -${flag} of several`, () =>
      assert.equal(read(configOf([`-${flag}`, two, `--${flag}=${one}`])), one))
  }

  it('several flags, a value with = in it and one with a dash', () => {
    const config = configOf(['-data-dir=/a=b', '--addr', ':0', '-grpc-addr', '127.0.0.1:0'])
    assert.deepEqual(
      [config.dataDir, config.addr, config.grpcAddr],
      ['/a=b', { host: '', port: 0 }, { host: '127.0.0.1', port: 0 }],
    )
  })

  it('the shell policy, in any case', () => {
    assert.equal(configOf([], { EXECGO_SHELL_POLICY: ' Open ' }).shellPolicy, 'open')
    assert.equal(configOf([], { EXECGO_SHELL_POLICY: 'allow-list' }).shellPolicy, 'allow-list')
  })

  it('an address that nobody set as every interface, once there are tokens', () => {
    const { addr, grpcAddr } = configOf([], { EXECGO_AUTH_FILE: 'auth.json' })
    assert.deepEqual([addr.host, grpcAddr.host], ['', ''])
    assert.equal(configOf(['-addr', ':1']).addr.host, '')
    assert.equal(configOf(['-addr', ':1']).grpcAddr.host, '127.0.0.1')
    assert.equal(configOf([], { EXECGO_GRPC_ADDR: ':1' }).grpcAddr.host, '')
  })

  it('the settings of the guards', () =>
    assert.deepEqual(
      configOf([], {
        EXECGO_ALLOWED_ORIGINS: 'https://A.example, http://b.example:81',
        EXECGO_RATE_LIMIT: '5',
        EXECGO_FILE_ROOT: '/srv',
        EXECGO_NET_POLICY: 'public',
        EXECGO_SHELL_POLICY: 'strict',
      }).guards,
      {
        authFile: '',
        tlsCert: '',
        tlsKey: '',
        auditLog: '',
        allowedOrigins: ['https://a.example', 'http://b.example:81'],
        requestsPerSecond: 5,
        fileRoot: '/srv',
        netPolicy: 'public',
      },
    ))

  it('how commands are started', () => {
    for (const way of ['auto', 'posix', 'node']) assert.equal(configOf([], { EXECGO_SPAWN: way }).spawn, way)
  })

  it('modules with tools, between commas', () =>
    assert.deepEqual(configOf([], { EXECGO_TOOLS: ' /a.js, ,b.js,' }).toolModules, ['/a.js', 'b.js']))

  it('the limits', () =>
    assert.deepEqual(
      configOf([], {
        EXECGO_MAX_BODY_BYTES: '10',
        EXECGO_MAX_TASKS_PER_GRAPH: '11',
        EXECGO_MAX_DEPENDENCIES: '12',
        EXECGO_MAX_ID_BYTES: '13',
        EXECGO_MAX_UNFINISHED_TASKS: '14',
        EXECGO_MAX_JSON_DEPTH: '15',
        EXECGO_MAX_OUTPUT_BYTES: '16',
        EXECGO_MAX_HTTP_BODY_BYTES: '17',
        EXECGO_MAX_FILE_BYTES: '18',
        EXECGO_HEADER_TIMEOUT: '19s',
        EXECGO_BODY_TIMEOUT: '1h',
      }).limits,
      {
        bodyBytes: 10,
        tasksPerGraph: 11,
        dependenciesPerTask: 12,
        idBytes: 13,
        unfinishedTasks: 14,
        jsonDepth: 15,
        outputBytes: 16,
        httpBodyBytes: 17,
        fileBytes: 18,
        headerMs: 19_000,
        bodyMs: 3_600_000,
      },
    ))

  it('-help and -version, before any value is looked at', () => {
    for (const flag of ['-help', '--help', '-h']) {
      assert.deepEqual(readConfig([flag], { EXECGO_ADDR: 'bad' }), { kind: 'help' })
    }
    assert.deepEqual(readConfig(['--version', '-addr', 'bad'], {}), { kind: 'version' })
  })

  it('no notice of other variables', () =>
    assert.equal(configOf([], { PATH: '/bin', ADDR: ':1', EXECGO_UNKNOWN: 'x' }).addr.port, 8080))
})

describe('readConfig refuses in one line that names the setting', () => {
  const whole = (from: number, to: number) => `expected a whole number from ${from} to ${to}`
  const address = 'expected host:port, :port or [::1]:port'
  const FLAGS: readonly (readonly [readonly string[], string])[] = [
    [['-addr', 'nowhere'], `-addr: ${address}, got "nowhere"`],
    [['--addr=:65536'], `-addr: ${address}, got ":65536"`],
    [['-addr='], `-addr: ${address}, got ""`],
    [['-grpc-addr', '8080'], `-grpc-addr: ${address}, got "8080"`],
    [['-data-dir='], '-data-dir: expected a directory, got ""'],
    [['-max-concurrency', '0'], `-max-concurrency: ${whole(1, 100_000)}, got "0"`],
    [['-max-concurrency', '-1'], `-max-concurrency: ${whole(1, 100_000)}, got "-1"`],
    [['-max-concurrency', '1.5'], `-max-concurrency: ${whole(1, 100_000)}, got "1.5"`],
    [['-max-concurrency', '1e3'], `-max-concurrency: ${whole(1, 100_000)}, got "1e3"`],
    [['-max-concurrency', ' 5'], `-max-concurrency: ${whole(1, 100_000)}, got " 5"`],
    [['-max-concurrency', 'ten\n'], `-max-concurrency: ${whole(1, 100_000)}, got "ten\\n"`],
    [['-max-concurrency', '100001'], `-max-concurrency: ${whole(1, 100_000)}, got "100001"`],
    [['-shutdown-timeout', '15s'], `-shutdown-timeout: ${whole(0, 86_400)}, got "15s"`],
    [['-addr'], '-addr: expected a value after it'],
    [['-addr', ':1', '--data-dir'], '-data-dir: expected a value after it'],
    [['-port', '80'], 'unknown flag -port (see -help)'],
    [['--Addr=:80'], 'unknown flag -Addr (see -help)'],
    [['-constructor=x'], 'unknown flag -constructor (see -help)'],
    [['-shell-policy=open'], 'unknown flag -shell-policy (see -help)'],
    [['serve'], 'unexpected argument "serve": execgo takes flags only (see -help)'],
    [['-addr', ':1', ':2'], 'unexpected argument ":2": execgo takes flags only (see -help)'],
    [['--'], 'unexpected argument "--": execgo takes flags only (see -help)'],
    [['---addr=:1'], 'unexpected argument "---addr=:1": execgo takes flags only (see -help)'],
    [[''], 'unexpected argument "": execgo takes flags only (see -help)'],
  ]
  for (const [argv, message] of FLAGS) {
    it(JSON.stringify(argv.join(' ')), () => assert.equal(problemOf(argv), message))
  }

  const VARIABLES: readonly (readonly [string, string, string])[] = [
    ['EXECGO_ADDR', 'x', address],
    ['EXECGO_GRPC_ADDR', '::1:80', address],
    ['EXECGO_MAX_CONCURRENCY', 'many', whole(1, 100_000)],
    ['EXECGO_SHUTDOWN_TIMEOUT', '-1', whole(0, 86_400)],
    ['EXECGO_SHELL_POLICY', 'shut', 'expected allow-list, open or strict'],
    ['EXECGO_SPAWN', 'fork', 'expected auto, posix or node'],
    ['EXECGO_LOG_LEVEL', 'loud', 'expected one of trace, debug, info, warn, error, silent'],
    ['EXECGO_THREAD_MEMORY_MB', '1', whole(32, 65_536)],
    ['EXECGO_GRACE_MS', 'soon', whole(0, 600_000)],
    ['EXECGO_MAX_BODY_BYTES', '0', whole(1, 536_870_880)],
    ['EXECGO_MAX_UNFINISHED_TASKS', '0', whole(1, 1e9)],
    ['EXECGO_MAX_JSON_DEPTH', '3', whole(4, 1000)],
    ['EXECGO_MAX_OUTPUT_BYTES', '16777217', whole(1, 2 ** 24)],
    ['EXECGO_MAX_HTTP_BODY_BYTES', '0', whole(1, 2 ** 25)],
    ['EXECGO_MAX_FILE_BYTES', '-1', whole(1, 2 ** 25)],
    ['EXECGO_HEADER_TIMEOUT', '0s', 'expected a duration like 30s, 15m, 12h or 7d'],
    ['EXECGO_BODY_TIMEOUT', '61m', 'expected a duration from 1s to 1h'],
  ]
  for (const [env, value, expected] of VARIABLES) {
    it(`${env}=${value}`, () =>
      assert.equal(problemOf([], { [env]: value }), `${env}: ${expected}, got "${value}"`))
  }

  it('a value of thousands of characters', () =>
    assert.match(problemOf(['-addr', 'x\n'.repeat(1000)]), /^-addr: expected host:port/))
})

describe('the usage', () => {
  it('names every flag and variable', () => {
    for (const [flag, env] of SETTINGS) {
      assert.match(USAGE, new RegExp(`-${flag} +${env} `))
    }
    for (const env of ['EXECGO_SHELL_POLICY', 'EXECGO_LOG_LEVEL', 'EXECGO_TOOLS', 'EXECGO_GRACE_MS']) {
      assert.ok(USAGE.includes(env), env)
    }
  })
})
