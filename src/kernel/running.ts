/** A kernel that runs: its engine, what may be asked of it, and the folder that it is in. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Execgo } from '../client/api.ts'
import { Calls } from './calls.ts'
import { type Engine, type EngineSettings, createEngine } from './engine.ts'
import type { KernelLog, KernelOptions } from './options.ts'
import { settingsOf } from './settings.ts'

export interface Running {
  readonly calls: Execgo
  stop(timeoutMs: number): Promise<void>
  killCommands(): void
}

export const startRunning = async (options: KernelOptions): Promise<Running> => {
  const { log = NO_LOG, mcpConfig = '' } = options
  const settings = settingsOf(options)
  const mcpHost = mcpConfig === '' ? null : await mcpHostOf(mcpConfig, settings, log)
  const isOwnFolder = settings.dataDir === ''
  const dataDir = isOwnFolder ? await mkdtemp(join(tmpdir(), 'execgo-')) : settings.dataDir
  const leave = async (): Promise<void> => {
    if (isOwnFolder) await rm(dataDir, { recursive: true, force: true })
  }
  const stopped = new AbortController()
  let engine: Engine
  try {
    engine = createEngine({ ...settings, dataDir, mcpHost }, log)
    await engine.start()
  } catch (error) {
    await leave()
    throw error
  }
  return {
    calls: new Calls(engine.service, stopped.signal),
    async stop(timeoutMs) {
      stopped.abort()
      try {
        await engine.stop(timeoutMs)
      } finally {
        await leave()
      }
    },
    killCommands: engine.killCommands,
  }
}

/** Loaded by those alone who call MCP servers. */
const mcpHostOf = async (configFile: string, settings: EngineSettings, log: KernelLog) => {
  const { openMcpHost } = await import('../open-mcp-host.ts')
  return openMcpHost({ ...settings, mcp: { configFile, environment: process.env } }, log)
}

const ignore = (): void => {}
const NO_LOG: KernelLog = { debug: ignore, info: ignore, warn: ignore, error: ignore }
