/** The tools that a language model is offered: what they are called, say, need and do. */
import { cancel, getTask, listTasks } from './task-tools.ts'
import { runGraph, submitGraph, wait } from './graph-tools.ts'
import * as schemas from './schemas.ts'
import type { Tool } from './tool.ts'

const EXAMPLE = `Example: {"tasks": [
  {"id": "r7-build", "type": "shell", "params": {"script": "make", "dir": "/src"}, "timeout": 600000},
  {"id": "r7-test", "type": "shell", "params": {"script": "make test", "dir": "/src"}, "depends_on": ["r7-build"]},
  {"id": "r7-docs", "type": "http", "params": {"url": "https://example.com/docs"}, "retry": 2}]}`

const RUNS = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true }
const READS = { readOnlyHint: true, openWorldHint: false }

export const TOOLS: readonly Tool[] = [
  {
    name: 'run_graph',
    title: 'Run a graph of tasks and wait for it',
    description: `Runs tasks (shell commands, HTTP requests, file operations …) in the order that depends_on gives, side by side where it allows, and answers their results. Use it for work of up to some minutes. Where the graph takes longer than "wait", the answer has done: false and a graph_id: it runs on, call wait with that graph_id. Cancelling this call stops the graph. ${EXAMPLE}`,
    inputSchema: schemas.RUN_INPUT,
    outputSchema: schemas.WAITED_OUTPUT,
    annotations: RUNS,
    needs: ['submit', 'read'],
    run: runGraph,
  },
  {
    name: 'submit_graph',
    title: 'Submit a graph of tasks',
    description: `Hands over tasks to be run in the order that depends_on gives, and answers at once with a graph_id. They run whatever becomes of this conversation, also over a restart of the daemon. Then call wait with the graph_id, or list_tasks. Tasks are as run_graph takes them. Example: {"tasks": [{"id": "r7-nightly", "type": "shell", "params": {"script": "make nightly"}, "timeout": 3600000}], "on_conflict": "reject"}`,
    inputSchema: schemas.SUBMIT_INPUT,
    outputSchema: schemas.SUBMIT_OUTPUT,
    annotations: RUNS,
    needs: ['submit'],
    run: submitGraph,
  },
  {
    name: 'wait',
    title: 'Wait for tasks or a graph',
    description:
      'Waits until tasks, or all tasks of a graph, are over, and answers their results; or what is so when the time is over (done: false): then call it again. Example: {"graph_id": "g-12", "timeout": "2m"}',
    inputSchema: schemas.WAIT_INPUT,
    outputSchema: schemas.WAITED_OUTPUT,
    annotations: READS,
    needs: ['read'],
    run: wait,
  },
  {
    name: 'get_task',
    title: 'Get a task',
    description:
      'Answers one task: what it was submitted with, its status, result, error and times. Long outputs are cut in the middle; to read one from anywhere name it by text_at. Examples: {"id": "r7-test"}, {"id": "r7-test", "text_at": "result.stdout", "offset": 24000}',
    inputSchema: schemas.GET_INPUT,
    outputSchema: schemas.GET_OUTPUT,
    annotations: READS,
    needs: ['read'],
    run: getTask,
  },
  {
    name: 'list_tasks',
    title: 'List tasks',
    description:
      'Lists tasks, in pages, without their results: by status, type, tool, graph or the beginning of their ids. Example: {"status": "failed", "order": "-created", "limit": 10}',
    inputSchema: schemas.LIST_INPUT,
    outputSchema: schemas.LIST_OUTPUT,
    annotations: READS,
    needs: ['read'],
    run: listTasks,
  },
  {
    name: 'cancel',
    title: 'Cancel a task or a graph',
    description:
      'Stops a task, or all tasks of a graph, that are not over: a command gets SIGTERM and, grace_ms later, SIGKILL, with all that it started. What depends on them is skipped. The answer may come before they have ended. Example: {"graph_id": "g-12"}',
    inputSchema: schemas.CANCEL_INPUT,
    outputSchema: schemas.CANCEL_OUTPUT,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    needs: ['cancel'],
    run: cancel,
  },
]

export const INSTRUCTIONS =
  'execgo runs graphs of tasks (commands, HTTP requests, file operations) on the machine where its daemon is, with dependencies, retries and timeouts, and keeps them and their results on its disk. run_graph for what you want the results of now; submit_graph and then wait for what takes long. Task ids are shared by all who use the daemon: make yours unmistakable.'
