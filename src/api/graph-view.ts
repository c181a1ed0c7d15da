/** A graph as clients see it. @see contract B2 */
import { type Graph, graphIdOf, graphStatus } from '../domain/graph-record.ts'
import { rfc3339 } from '../domain/time.ts'

export interface GraphView {
  readonly graph_id: string
  readonly status: 'pending' | 'running' | 'success' | 'failed'
  readonly counts: {
    readonly pending: number
    readonly running: number
    readonly success: number
    readonly failed: number
    readonly skipped: number
  }
  readonly created_at: string
  /** Absent while one of its tasks is not over. */
  readonly finished_at?: string
}

export const graphView = (graph: Graph): GraphView => {
  const { running, success, failed, skipped } = graph.counts
  const status = graphStatus(graph)
  const isOver = status === 'success' || status === 'failed'
  return {
    graph_id: graphIdOf(graph.key),
    status,
    counts: { pending: graph.size - running - success - failed - skipped, running, success, failed, skipped },
    created_at: rfc3339(graph.createdMs),
    ...(isOver ? { finished_at: rfc3339(graph.finishedMs) } : {}),
  }
}
