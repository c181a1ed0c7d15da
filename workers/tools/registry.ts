/**
 * Which tool runs a task. To add one: write it beside the others and name it here; one that lives outside of this
 * project comes as a module named in the settings, whose default export is a tool or an array of tools.
 */
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { quote } from '../../src/domain/quote.ts'
import { cliSkills } from './cli-skills.ts'
import { dns } from './dns.ts'
import { file } from './file/file.ts'
import { http } from './http/http.ts'
import { mcp } from './mcp.ts'
import { noop } from './noop.ts'
import { shell } from './shell/shell.ts'
import { sleep } from './sleep.ts'
import { tcp } from './tcp.ts'
import type { Tool } from './tool.ts'

const OS_TOOLS: readonly Tool[] = [noop, sleep, shell, file, http, dns, tcp]

export class ToolRegistry {
  /** The tools of category `os`, by their names. */
  readonly #osTools: ReadonlyMap<string, Tool>

  constructor(further: readonly Tool[] = []) {
    this.#osTools = new Map([...OS_TOOLS, ...further].map((tool) => [tool.name, tool]))
  }

  /** The tool for a task of this category and tool name; as text, why there is none. */
  find(category: string, toolName: string): Tool | string {
    switch (category) {
      case 'os': {
        const tool = this.#osTools.get(toolName) ?? this.#osTools.get(toolName.trim())
        return tool ?? `unknown os tool ${quote(toolName.trim() || 'os')}`
      }
      case 'mcp':
        return mcp
      case 'cli-skills':
        return cliSkills
      default:
        return `unknown task type: ${category}`
    }
  }
}

const isTool = (value: unknown): value is Tool =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<Tool>).name === 'string' &&
  typeof (value as Partial<Tool>).run === 'function'

const toolsIn = async (place: string): Promise<Tool[]> => {
  const module = (await import(isAbsolute(place) ? pathToFileURL(place).href : place)) as {
    default?: unknown
  }
  const tools: unknown[] = Array.isArray(module.default) ? module.default : [module.default]
  if (!tools.every(isTool)) throw new Error(`${place}: its default export is no tool, nor an array of tools`)
  return tools
}

/**
 * The tools of this project and those of the modules (absolute paths or file URLs), which are `os` tools. A module's
 * tool replaces one of the same name. Rejects where a module cannot be loaded or holds something else.
 */
export const loadRegistry = async (modules: readonly string[]): Promise<ToolRegistry> =>
  new ToolRegistry((await Promise.all(modules.map(toolsIn))).flat())
