/**
 * Runs one command from its start to its end: started, read, ended with its whole tree where the attempt is
 * aborted, and over as soon as its own process is.
 */
import { randomUUID } from 'node:crypto'
import type { ToolContext } from '../tools/tool.ts'
import { BoundedOutput, type BoundedText } from './bounded-output.ts'
import { commandEnvironment } from './environment.ts'
import { drainPipes, PipeReader } from './pipe-reader.ts'
import type { ProcessExit, StartedProcess } from './starter.ts'
import { terminateTree } from './terminate.ts'

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  /** `''` for the daemon's own. */
  readonly dir: string
  /** Everything in `stdout`, in the order in which it was written. */
  readonly isOutputTogether: boolean
}

export interface CommandResult {
  /** `''` for a command that ended with 0; else `exit status 3`, `signal: killed`, or why it did not start. */
  readonly reason: string
  /** -1 where a signal ended it, or it never started. */
  readonly exitCode: number
  /** `SIGKILL` and the like, where one ended it. */
  readonly signal: string | null
  readonly stdout: BoundedText
  readonly stderr: BoundedText
}

const SIGNAL_TEXTS: Readonly<Record<string, string>> = {
  SIGABRT: 'aborted',
  SIGALRM: 'alarm clock',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGHUP: 'hangup',
  SIGILL: 'illegal instruction',
  SIGINT: 'interrupt',
  SIGKILL: 'killed',
  SIGPIPE: 'broken pipe',
  SIGQUIT: 'quit',
  SIGSEGV: 'segmentation fault',
  SIGSYS: 'bad system call',
  SIGTERM: 'terminated',
  SIGTRAP: 'trace/breakpoint trap',
  SIGUSR1: 'user defined signal 1',
  SIGUSR2: 'user defined signal 2',
  SIGXCPU: 'CPU time limit exceeded',
  SIGXFSZ: 'file size limit exceeded',
}

const NOTHING: BoundedText = { text: '', truncatedBytes: 0 }

const exitReason = ({ code, signal }: ProcessExit): string => {
  if (signal !== null) return `signal: ${SIGNAL_TEXTS[signal] ?? signal}`
  return code === 0 ? '' : `exit status ${code}`
}

/** The process's end; before it, an abort of the attempt ends the whole tree and is waited for. */
const untilOver = async (
  started: StartedProcess,
  marker: string,
  context: ToolContext,
): Promise<ProcessExit> => {
  let hasExited = false
  let termination: Promise<void> | null = null
  const tree = { leader: started.pid, marker, hasExited: () => hasExited }
  context.onAbort(() => {
    if (!hasExited) termination = terminateTree(tree, () => context.graceMs)
  })
  const exit = await started.exited
  hasExited = true
  await termination
  return exit
}

export const runCommand = async (command: Command, context: ToolContext): Promise<CommandResult> => {
  const marker = randomUUID()
  const environment = commandEnvironment(context, marker)
  const result = await context.starter.start({ ...command, environment })
  if (!result.ok)
    return { reason: result.reason, exitCode: -1, signal: null, stdout: NOTHING, stderr: NOTHING }
  const started = result.process
  const stdout = new BoundedOutput(context.settings.outputLimitBytes)
  const stderr = new BoundedOutput(context.settings.outputLimitBytes)
  const pipes = [new PipeReader(started.stdout, stdout)]
  if (started.stderr !== null) pipes.push(new PipeReader(started.stderr, stderr))
  const exit = await untilOver(started, marker, context)
  await drainPipes(pipes)
  return {
    reason: exitReason(exit),
    exitCode: exit.code ?? -1,
    signal: exit.signal,
    stdout: stdout.finish(),
    stderr: stderr.finish(),
  }
}
