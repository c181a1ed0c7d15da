/**
 * The environment of a command: the daemon's own without its secrets, which attempt this is, and of which trace.
 * @see contract B1, B5, B6
 */

/** What a process finds in its environment. A name is in one of the two at most. */
export interface Environment {
  /** The same object for all of them. */
  readonly inherited: NodeJS.ProcessEnv
  readonly own: Readonly<Record<string, string>>
}

/** In any case: nobody means `EXECGO_api_token` to be seen. */
const SECRET = /^EXECGO_.*(TOKEN|SECRET|PASSWORD|KEY)/i

/** Marks every process of one command's tree, so that those which left it on purpose are found again. */
export const RUN_MARKER = 'EXECGO_RUN'

/** A trace that the daemon was started in is none of its tasks'. */
const TRACE = new Set(['TRACEPARENT', 'TRACESTATE'])

let inherited: NodeJS.ProcessEnv | null = null

/** The daemon's environment without its secrets. Read once: it does not change while the daemon lives. */
const inheritedWithout = (own: Readonly<Record<string, string>>): NodeJS.ProcessEnv => {
  inherited ??= Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !SECRET.test(name) && !TRACE.has(name) && !(name in own)),
  )
  return inherited
}

/** `marker` names this one run of a command among all of this machine. */
export const commandEnvironment = (
  {
    taskId,
    graphId,
    attempt,
    traceparent,
  }: {
    readonly taskId: string
    readonly graphId: string
    readonly attempt: number
    readonly traceparent: string
  },
  marker: string,
): Environment => {
  const own = {
    // A task id may hold any character, an environment none that is NUL.
    EXECGO_TASK_ID: taskId.replaceAll('\0', ''),
    EXECGO_GRAPH_ID: graphId,
    EXECGO_ATTEMPT: String(attempt),
    [RUN_MARKER]: marker,
    ...(traceparent === '' ? {} : { TRACEPARENT: traceparent }),
  }
  return { inherited: inheritedWithout(own), own }
}
