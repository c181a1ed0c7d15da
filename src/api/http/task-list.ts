/** `GET /tasks`: every task as a stream, or a page of those asked for. */
import { type AskedPage, PAGE_PARAMETERS } from '../task-page.ts'
import type { Service } from '../service.ts'
import { listStream } from './list-stream.ts'
import { type HttpContext, reply, replyProblem } from './reply.ts'

export const taskList =
  (service: Service) =>
  async (c: HttpContext): Promise<Response> => {
    const asked = askedIn(c)
    if (asked === null) return reply(c, 200, listStream(service.list()))
    const page = await service.page(asked)
    if (!page.ok) return replyProblem(c, page.problem)
    const { tasks, nextCursor } = page.value
    const response = reply(c, 200, `[${tasks.join(',')}]`)
    if (nextCursor === '') return response
    response.headers.set('X-Next-Cursor', nextCursor)
    response.headers.set('Link', `<${pathTo(asked, nextCursor)}>; rel="next"`)
    return response
  }

/** `null` where nothing of a page is said. */
const askedIn = (c: HttpContext): AskedPage | null => {
  if (!c.env.rawUrl.includes('?')) return null
  const given = PAGE_PARAMETERS.flatMap((name) => {
    const value = c.req.query(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  return given.length === 0 ? null : Object.fromEntries(given)
}

const pathTo = (asked: AskedPage, cursor: string): string =>
  `/tasks?${new URLSearchParams({ ...(asked as Record<string, string>), cursor })}`
