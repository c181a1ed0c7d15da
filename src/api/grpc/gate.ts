/** What a call passes before its handler: whose it is, may they, how often; and what is noted of it afterwards. */
import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js'
import type { Guard, Verdict } from '../guard/guard.ts'
import { isNoted, needOfCall } from '../guard/scopes.ts'
import { statusOf } from './status.ts'

/** The fields of messages that say what a call was about. */
interface Subject {
  readonly id?: string
  readonly graph_id?: string
  readonly accepted?: number
  readonly task_ids?: readonly string[]
}

/** For every service of the server, health and reflection too. */
export const gate =
  (guard: Guard): ServerInterceptor =>
  ({ path }, call) => {
    const need = needOfCall(path)
    const from = addressOf(call.getConnectionInfo().remoteAddress)
    const noted = isNoted(need)
    let who = from
    let reason = ''
    let subject: { ids?: readonly string[]; count?: number } = {}

    const refuse = ({ problem, retryAfterS }: Verdict): void => {
      reason = problem!.message
      const answer = statusOf(problem!, retryAfterS)
      note(answer.code)
      call.sendStatus(answer)
    }
    const note = (code: number): void =>
      guard.audit?.add({
        who,
        from,
        what: path,
        status: code,
        ...subject,
        ...(reason === '' ? {} : { reason }),
      })

    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, go) => {
            const [authorization = ''] = metadata.get('authorization')
            const follow = (verdict: Verdict): void => {
              who = verdict.who
              if (verdict.problem === null) go(metadata)
              else refuse(verdict)
            }
            const verdict = guard.admit({ authorization: String(authorization), address: from, need })
            if (verdict instanceof Promise) void verdict.then(follow)
            else follow(verdict)
          },
          onReceiveMessage: (message: Subject, go) => {
            const id = noted ? (message.id ?? message.graph_id) : undefined
            if (id !== undefined && id !== '') subject = { ids: [id] }
            go(message)
          },
        }),
      sendMessage: (message: Subject, go) => {
        if (noted && message.task_ids !== undefined)
          subject = { count: message.accepted ?? message.task_ids.length, ids: message.task_ids }
        go(message)
      },
      sendStatus: (ended, go) => {
        if (noted) {
          if (ended.code !== status.OK) reason = ended.details ?? ''
          note(ended.code ?? status.OK)
        }
        go(ended)
      },
    })
  }

const addressOf = (address = ''): string => (address.startsWith('::ffff:') ? address.slice(7) : address)
