/** Opens the file that names the MCP servers, before anything else starts: a failure names its setting. */
import type { Config } from './config.ts'
import { readMcpConfig } from './mcp/config-file.ts'
import { McpHost, type McpHostOptions } from './mcp/host.ts'
import { VERSION } from './version.ts'

/** Null where no file is named. @throws with one line that names the setting, the file and the field */
export const openMcpHost = (
  {
    mcp: { configFile, environment },
    limits,
    threadMemoryMb,
  }: Pick<Config, 'mcp' | 'limits' | 'threadMemoryMb'>,
  log: McpHostOptions['log'],
): McpHost | null => {
  if (configFile === '') return null
  try {
    const { servers, ignored } = readMcpConfig(configFile, environment)
    if (ignored.length > 0)
      log.warn({ fields: ignored }, 'the file of EXECGO_MCP_CONFIG has fields that mean nothing here')
    return new McpHost({
      servers,
      outputLimitBytes: limits.outputBytes,
      version: VERSION,
      memoryMb: threadMemoryMb,
      log,
    })
  } catch (error) {
    throw new Error(`EXECGO_MCP_CONFIG: cannot use ${configFile}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
