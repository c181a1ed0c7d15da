import type { WorkerSettings } from '../../../src/pool/messages.ts'
import { quote } from '../../../src/domain/quote.ts'
import { InputFields } from '../input.ts'
import { done, fail, refuse, type Tool, type ToolResult } from '../tool.ts'
import { cleanPath } from './clean-path.ts'
import { FileProblem, readBounded, removePath, statPath, writeInto } from './operations.ts'

interface FileRequest {
  readonly path: string
  readonly content: string
  readonly settings: WorkerSettings
}

const write = async ({ path, content }: FileRequest, flag: 'w' | 'a'): Promise<ToolResult> => {
  const bytes = Buffer.from(content)
  await writeInto(path, bytes, flag)
  return done({ bytes_written: bytes.length })
}

const ACTIONS: Readonly<Record<string, (request: FileRequest) => Promise<ToolResult>>> = {
  read: async ({ path, settings }) => {
    const bytes = await readBounded(path, settings.fileReadLimitBytes)
    return done({ content: bytes.toString('utf8'), size: bytes.length })
  },
  write: (request) => write(request, 'w'),
  append: (request) => write(request, 'a'),
  delete: async ({ path }) => {
    await removePath(path)
    return done({ deleted: true })
  },
  stat: async ({ path }) => done(await statPath(path)),
}

/** Reads, writes, removes and looks at files, from the daemon's own directory on. @see contract A5 */
export const file: Tool = {
  name: 'file',
  async run(input, context) {
    const fields = new InputFields(input, context, 'file params', 'FileParams')
    const [action, path, content] = [fields.string('action'), fields.string('path'), fields.string('content')]
    if (fields.problem !== null) return refuse(fields.problem)
    if (path === '') return refuse('path is required')
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
    if (act === undefined) {
      return refuse(`unknown action ${quote(action)} (supported: read, write, append, delete, stat)`)
    }
    try {
      return await act({ path: cleanPath(path), content, settings: context.settings })
    } catch (error) {
      if (error instanceof FileProblem) return fail(error.message)
      throw error
    }
  },
}
