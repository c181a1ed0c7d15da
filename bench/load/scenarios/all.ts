/** The scenarios, in the order in which a round goes through them. */
import type { Scenario } from '../scenario.ts'
import { costs } from './cost.ts'
import { kept } from './kept.ts'
import { latency } from './latency.ts'
import { reads } from './reads.ts'
import { shell } from './shell.ts'
import { singleRequests } from './single-requests.ts'
import { sleeps } from './sleeps.ts'
import { throughput } from './throughput.ts'

export const SCENARIOS: readonly Scenario[] = [
  throughput,
  singleRequests,
  reads,
  shell,
  latency,
  sleeps,
  ...costs,
  kept,
]
