import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawGraph } from '../../../src/commands/draw-graph.ts'

const TASKS = [
  { id: 'build "all" <x>', type: 'shell', status: 'success' },
  { id: 'test', type: 'os', tool_name: 'shell', depends_on: ['build "all" <x>', 'gone'], status: 'failed' },
  { id: 'tell', type: 'http', depends_on: ['test', 'test'], run_if: 'failure', status: 'pending' },
]

test('as Mermaid', () => {
  assert.equal(
    drawGraph(TASKS, 'mermaid'),
    `flowchart TD
  t0["build #34;all#34; #60;x#62;<br/>shell"]:::success
  t1["test<br/>shell"]:::failed
  t2["tell<br/>http"]
  t0 --> t1
  t1 -. failure .-> t2
  classDef success fill:#dcfce7,stroke:#16a34a,color:#111827
  classDef failed fill:#fee2e2,stroke:#dc2626,color:#111827
`,
  )
})

test('as DOT', () => {
  assert.equal(
    drawGraph(TASKS, 'dot'),
    `digraph execgo {
  node [shape=box, style="rounded,filled", fillcolor="#ffffff"];
  "build \\"all\\" <x>" [label="build \\"all\\" <x>\\nshell", fillcolor="#dcfce7", color="#16a34a"];
  "test" [label="test\\nshell", fillcolor="#fee2e2", color="#dc2626"];
  "tell" [label="tell\\nhttp"];
  "build \\"all\\" <x>" -> "test";
  "test" -> "tell" [style=dashed, label="failure"];
}
`,
  )
})
