/**
 * The environment of a command: the daemon's own without its secrets, and which attempt this is.
 * @see contract B1, B5
 */

const SECRET = /^EXECGO_.*(TOKEN|SECRET|PASSWORD|KEY)/

/** Marks every process of one command's tree, so that those which left it on purpose are found again. */
export const RUN_MARKER = 'EXECGO_RUN'

let base: NodeJS.ProcessEnv | null = null

/** The daemon's environment without its secrets. Read once: it does not change while the daemon lives. */
const baseEnvironment = (): NodeJS.ProcessEnv => {
  base ??= Object.fromEntries(Object.entries(process.env).filter(([name]) => !SECRET.test(name)))
  return base
}

/** `marker` names this one run of a command among all of this machine. */
export const commandEnvironment = (
  {
    taskId,
    graphId,
    attempt,
  }: { readonly taskId: string; readonly graphId: string; readonly attempt: number },
  marker: string,
): NodeJS.ProcessEnv => ({
  ...baseEnvironment(),
  // A task id may hold any character, an environment none that is NUL.
  EXECGO_TASK_ID: taskId.replaceAll('\0', ''),
  EXECGO_GRAPH_ID: graphId,
  EXECGO_ATTEMPT: String(attempt),
  [RUN_MARKER]: marker,
})
