/**
 * Prometheus' text format, and OpenMetrics: https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * They differ in three things: OpenMetrics names a counter's family without `_total`, ends with `# EOF`, and has a
 * content type of its own.
 */
import { BOUNDS_S, type Buckets } from './histogram.ts'

export type Format = 'prometheus' | 'openmetrics'

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

type Labels = Readonly<Record<string, string>>

/** A bound as both formats want it. */
const bound = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value))

export class Exposition {
  readonly #format: Format
  readonly #lines: string[] = []

  constructor(format: Format) {
    this.#format = format
  }

  /** Grows only. `name` ends with `_total`. */
  counter(name: string, help: string, samples: readonly (readonly [labels: Labels, value: number])[]): void {
    this.#head(this.#format === 'openmetrics' ? name.replace(/_total$/, '') : name, help, 'counter')
    for (const [labels, value] of samples) this.#sample(name, labels, value)
  }

  gauge(name: string, help: string, samples: readonly (readonly [labels: Labels, value: number])[]): void {
    this.#head(name, help, 'gauge')
    for (const [labels, value] of samples) this.#sample(name, labels, value)
  }

  histogram(
    name: string,
    help: string,
    samples: readonly (readonly [labels: Labels, value: Buckets])[],
  ): void {
    this.#head(name, help, 'histogram')
    for (const [labels, histogram] of samples) {
      let count = 0
      for (let at = 0; at < BOUNDS_S.length; at++) {
        count += histogram.buckets[at]!
        this.#sample(`${name}_bucket`, { ...labels, le: bound(BOUNDS_S[at]!) }, count)
      }
      count += histogram.buckets[BOUNDS_S.length]!
      this.#sample(`${name}_bucket`, { ...labels, le: '+Inf' }, count)
      this.#sample(`${name}_sum`, labels, histogram.sumS)
      this.#sample(`${name}_count`, labels, count)
    }
  }

  /** The whole of it. */
  text(): string {
    const end = this.#format === 'openmetrics' ? '# EOF\n' : ''
    return `${this.#lines.join('\n')}\n${end}`
  }

  #head(name: string, help: string, type: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
  }

  #sample(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
    this.#lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`)
  }
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
