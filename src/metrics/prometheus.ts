/**
 * All that `GET /metrics/prometheus` tells. Read when it is asked for: nothing is kept up for it but the histograms.
 * @see contract B6
 */
import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metrics } from '../scheduler/counters.ts'
import type { Gauges } from '../scheduler/gauges.ts'
import { EventLoop } from './event-loop.ts'
import { Exposition, type Format } from './exposition.ts'
import type { Buckets } from './histogram.ts'
import type { TaskMetrics, ToolMetrics } from './task-metrics.ts'

export interface PrometheusOptions {
  readonly scheduler: { metrics(): Metrics; gauges(): Gauges }
  readonly tasks: TaskMetrics
  readonly starts: Buckets
  readonly dataDir: string
  readonly version: string
}

export class Prometheus {
  readonly #options: PrometheusOptions
  readonly #eventLoop = new EventLoop()

  constructor(options: PrometheusOptions) {
    this.#options = options
  }

  async text(format: Format): Promise<string> {
    const out = new Exposition(format)
    out.gauge('execgo_build_info', 'What runs: always 1.', [
      [{ version: this.#options.version, node: process.versions.node }, 1],
    ])
    this.#writeTasks(out)
    this.#writeSlots(out)
    await this.#writeStore(out)
    this.#writeProcess(out)
    return out.text()
  }

  #writeTasks(out: Exposition): void {
    const { scheduler, tasks } = this.#options
    const metrics = scheduler.metrics()
    out.counter(
      'execgo_tasks_accepted_total',
      'Tasks taken on since the start, by their type.',
      Object.entries(metrics.by_type).map(([type, count]) => [{ type }, count]),
    )
    out.counter('execgo_tasks_ended_total', 'Tasks that are over; those that were skipped count as failed.', [
      [{ status: 'success' }, metrics.tasks_succeeded],
      [{ status: 'failed' }, metrics.tasks_failed],
    ])
    const tools = [...tasks.tools].filter(([, tool]) => tool.queueWait.count + tool.commit.count > 0)
    out.counter(
      'execgo_attempts_total',
      'Attempts that came back, by their tool and outcome; aborted ones were stopped.',
      tools.flatMap(([tool, { succeeded, failed, aborted }]) => [
        [{ tool, outcome: 'success' }, succeeded] as const,
        [{ tool, outcome: 'failed' }, failed] as const,
        [{ tool, outcome: 'aborted' }, aborted] as const,
      ]),
    )
    const histogram = (name: string, help: string, of: 'queueWait' | 'run' | 'commit'): void =>
      out.histogram(
        name,
        help,
        tools.map(([tool, metrics]: [string, ToolMetrics]) => [{ tool }, metrics[of]]),
      )
    histogram('execgo_queue_wait_seconds', 'How long tasks were in line for a slot.', 'queueWait')
    histogram('execgo_run_seconds', 'How long attempts ran.', 'run')
    histogram('execgo_commit_seconds', 'From the end of a task to its outcome being kept.', 'commit')
    out.histogram('execgo_process_start_seconds', 'How long the processes of commands took to start.', [
      [{}, this.#options.starts],
    ])
  }

  #writeSlots(out: Exposition): void {
    const { slots, slotsInUse, ready, unfinished, unsaved } = this.#options.scheduler.gauges()
    out.gauge('execgo_slots', 'Attempts that may run at once.', [[{}, slots]])
    out.gauge('execgo_slots_in_use', 'Slots that attempts hold.', [[{}, slotsInUse]])
    out.gauge('execgo_tasks_ready', 'Tasks in line for a slot.', [[{}, ready]])
    out.gauge('execgo_tasks_unfinished', 'Tasks that are accepted and not over.', [[{}, unfinished]])
    out.gauge('execgo_tasks_unsaved', 'Tasks that are over and not handed to the store yet.', [[{}, unsaved]])
  }

  async #writeStore(out: Exposition): Promise<void> {
    const { dataDir } = this.#options
    const names = (await readdir(dataDir)).filter((name) => STORE_FILE.test(name)).sort()
    const sizes = await Promise.all(names.map((name) => sizeOf(join(dataDir, name))))
    out.gauge(
      'execgo_store_file_bytes',
      'What the files of the store take of the disk.',
      names.map((file, at) => [{ file }, sizes[at]!]),
    )
    const disk = await statfs(dataDir)
    out.gauge('execgo_store_disk_free_bytes', 'What is free on the disk of the data directory.', [
      [{}, disk.bavail * disk.bsize],
    ])
  }

  #writeProcess(out: Exposition): void {
    const delay = this.#eventLoop.delay()
    const about = (what: string): string => `How late the event loop was within the last minute: ${what}.`
    out.gauge('execgo_event_loop_delay_mean_seconds', about('the mean'), [[{}, delay.meanS]])
    out.gauge('execgo_event_loop_delay_p50_seconds', about('the median'), [[{}, delay.p50S]])
    out.gauge('execgo_event_loop_delay_p99_seconds', about('99 of 100 were better'), [[{}, delay.p99S]])
    out.gauge('execgo_event_loop_delay_max_seconds', about('the worst'), [[{}, delay.maxS]])
    out.counter('execgo_event_loop_busy_seconds_total', 'How long the event loop was busy.', [
      [{}, this.#eventLoop.busyS()],
    ])
    const { user, system } = process.cpuUsage()
    out.counter('execgo_process_cpu_seconds_total', 'Processor time of the daemon, all threads.', [
      [{}, (user + system) / 1e6],
    ])
    const memory = process.memoryUsage()
    out.gauge('execgo_process_resident_memory_bytes', 'Memory of the daemon.', [[{}, memory.rss]])
    out.gauge('execgo_process_heap_bytes', "Used of the main thread's JavaScript heap.", [
      [{}, memory.heapUsed],
    ])
    out.gauge('execgo_process_start_time_seconds', 'When the daemon started, in seconds since 1970.', [
      [{}, performance.timeOrigin / 1000],
    ])
  }
}

const STORE_FILE = /^execgo\.[\w.-]+$/

/** 0 for one that is gone meanwhile. */
const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).blocks * 512
  } catch {
    return 0
  }
}
