import type { WorkerSettings } from '../../../src/pool/messages.ts'
import { quote } from '../../../src/domain/quote.ts'
import { InputFields } from '../input.ts'
import { deny, done, fail, refuse, type Tool, type ToolResult } from '../tool.ts'
import { cleanPath } from './clean-path.ts'
import { OutOfRoot, withinRoot } from './confine.ts'
import { FileProblem, type Place, readBounded, removePath, statPath, writeInto } from './operations.ts'

interface FileRequest {
  readonly place: Place
  readonly content: string
  readonly settings: WorkerSettings
}

const write = async ({ place, content }: FileRequest, flag: 'w' | 'a'): Promise<ToolResult> => {
  const bytes = Buffer.from(content)
  await writeInto(place, bytes, flag)
  return done({ bytes_written: bytes.length })
}

const ACTIONS: Readonly<Record<string, (request: FileRequest) => Promise<ToolResult>>> = {
  read: async ({ place, settings }) => {
    const bytes = await readBounded(place, settings.fileReadLimitBytes)
    return done({ content: bytes.toString('utf8'), size: bytes.length })
  },
  write: (request) => write(request, 'w'),
  append: (request) => write(request, 'a'),
  delete: async ({ place }) => {
    await removePath(place)
    return done({ deleted: true })
  },
  stat: async ({ place }) => done(await statPath(place)),
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
      const { settings } = context
      const shown = cleanPath(path)
      if (settings.fileRoot === '')
        return await act({ place: { shown, actual: shown, isConfined: false }, content, settings })
      const isMaking = action === 'write' || action === 'append'
      return await withinRoot(settings.fileRoot, shown, isMaking, (place) =>
        act({ place, content, settings }),
      )
    } catch (error) {
      if (error instanceof OutOfRoot) return deny(error.message)
      if (error instanceof FileProblem) return fail(error.message)
      throw error
    }
  },
}
