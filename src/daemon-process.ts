/** From the command line to the daemon: flags, signals, exit codes. @see contract A1 */
import { type Config, type Invocation, USAGE, readConfig } from './config.ts'
import { ConfigError } from './flags.ts'
import { createLogger } from './logger.ts'
import { type Daemon, createDaemon } from './main.ts'
import { VERSION } from './version.ts'

/** A signal that comes again within this is the same one, passed on by npm or a shell. */
const SAME_SIGNAL_WITHIN_MS = 100

const fail = (code: 1 | 2, error: unknown): never => {
  process.stderr.write(`execgo: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(code)
}

const invocation = (): Invocation => {
  try {
    return readConfig(process.argv.slice(2), process.env)
  } catch (error) {
    return fail(error instanceof ConfigError ? 2 : 1, error)
  }
}

const daemonOf = (config: Config, log: ReturnType<typeof createLogger>): Daemon => {
  try {
    return createDaemon(config, log)
  } catch (error) {
    return fail(1, error)
  }
}

/** Runs until a signal, or until it cannot start. */
export const runDaemon = async (): Promise<void> => {
  const asked = invocation()
  if (asked.kind === 'help') return void process.stdout.write(USAGE)
  if (asked.kind === 'version') return void process.stdout.write(`v${VERSION}\n`)

  const log = createLogger(asked.config.logLevel)
  const daemon = daemonOf(asked.config, log)
  let firstSignalMs = 0
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstSignalMs !== 0) {
      if (performance.now() - firstSignalMs < SAME_SIGNAL_WITHIN_MS) return
      daemon.killCommands()
      process.exit(1)
    }
    firstSignalMs = performance.now()
    log.info({ signal }, 'shutting down; a second signal ends at once')
    daemon.stop().then(
      () => {
        log.info({}, 'execgo stopped')
        process.exit(0)
      },
      (error: unknown) => {
        log.error({ err: error }, 'the shutdown failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  // A broken invariant in one request must not end every other: it is logged, and seen.
  process.on('uncaughtException', (err) => log.error({ err }, 'uncaught exception'))
  process.on('unhandledRejection', (err) => {
    // Beside the promise that it gives out, lmdb rejects one of its own: the store has told of this failure already.
    const isToldAlready = err instanceof Error && 'commitError' in err
    log[isToldAlready ? 'debug' : 'error']({ err }, 'unhandled rejection')
  })
  try {
    await daemon.start()
  } catch (error) {
    fail(1, error)
  }
}
