#!/usr/bin/env node
/** Bare, or with flags, `execgo` is the daemon; a first word that is no flag is a command. */
const words = process.argv.slice(2)

if (words[0] === undefined || words[0].startsWith('-')) {
  const { runDaemon } = await import('./daemon-process.ts')
  await runDaemon()
} else {
  const { runCommand } = await import('./commands/program.ts')
  const interrupt = new AbortController()
  let firstSignalMs = 0
  // SIGHUP: the terminal is gone. What was begun for it is ended all the same.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      // One that comes again at once is the same, passed on by npm or a shell.
      if (interrupt.signal.aborted && performance.now() - firstSignalMs > 100) process.exit(130)
      firstSignalMs ||= performance.now()
      interrupt.abort(new Error(`interrupted by ${signal}`))
    })
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  // Nobody reads what goes wrong with telling what goes wrong.
  process.stderr.on('error', () => {})
  const { stdin, stdout, stderr, env } = process
  process.exitCode = await runCommand(words, { stdin, stdout, stderr, env, signal: interrupt.signal })
}
