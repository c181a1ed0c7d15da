/** Tasks for one message. Unlike a stream it is held whole, so there is a bound to it. */
import { type Result, ok, refused } from '../../domain/errors.ts'
import { Slices } from '../turns.ts'
import { type TaskMessage, taskMessage } from './messages.ts'

/** UTF-16 units. */
const MIB = 1024 * 1024

/**
 * Ends early where the client is gone: nobody waits for the answer any more.
 * @param mostMib of the tasks' JSON texts
 * @param instead what to do where that is not enough, for the refusal
 */
export const gatherTasks = async (
  texts: AsyncIterable<string>,
  client: { readonly cancelled: boolean },
  mostMib: number,
  instead: string,
): Promise<Result<TaskMessage[]>> => {
  const tasks: TaskMessage[] = []
  const slices = new Slices()
  let chars = 0
  for await (const json of texts) {
    if (client.cancelled) break
    chars += json.length
    if (chars > mostMib * MIB)
      return refused('too_large', `the tasks are larger than ${mostMib} MiB: ${instead}`)
    tasks.push(taskMessage(json))
    await slices.next()
  }
  return ok(tasks)
}
