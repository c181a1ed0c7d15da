/**
 * What the tools take and answer, as JSON Schema: made of the definitions that check the HTTP API, with words for who
 * has never seen execgo. What may be null there may only be absent here: some hosts know no field of two types.
 */
import * as v from 'valibot'
import type { JsonObject } from '../../domain/json.ts'
import { STATUSES } from '../../domain/lifecycle.ts'
import { GraphAnswer, SubmittedAnswer } from '../openapi/answers.ts'
import { jsonSchema } from '../openapi/json-schema.ts'
import { CancelSchema, TaskGraphSchema, TaskSchema } from '../schemas.ts'
import { WaitSchema } from '../wait-query.ts'
import { FIELD_WORDS, TASK_WORDS, type Words } from './words.ts'

/** A tool takes an object, and answers one. */
export type ObjectSchema = JsonObject & { type: 'object' }

const text = v.nullish(v.string('a string'))
const integer = v.nullish(v.pipe(v.number('an integer'), v.safeInteger('an integer')))

/** Of a submission, what HTTP has in a header. */
export const SubmitFields = v.object({ idempotency_key: text })
export const RunFields = v.object({ wait: text, idempotency_key: text })
export const GetFields = v.object({
  id: text,
  max_chars: integer,
  text_at: text,
  offset: integer,
})
export const CancelFields = v.object({ task_id: text, graph_id: text })
/** As the query of `GET /tasks`. */
export const ListFields = v.object({
  status: text,
  type: text,
  tool: text,
  graph_id: text,
  prefix: text,
  order: text,
  limit: integer,
  cursor: text,
})

const withoutNull = (schema: JsonObject): JsonObject => {
  const { type, enum: values, properties, ...rest } = schema
  const kept: JsonObject = { ...rest }
  if (type !== undefined) kept['type'] = Array.isArray(type) ? type.find((each) => each !== 'null')! : type
  if (Array.isArray(values)) kept['enum'] = values.filter((value) => value !== null)
  if (properties !== undefined)
    kept['properties'] = Object.fromEntries(
      Object.entries(properties as JsonObject).map(([name, each]) => [name, withoutNull(each as JsonObject)]),
    )
  return kept
}

const propertiesOf = (schema: v.GenericSchema, words: Words): JsonObject => {
  const { properties } = withoutNull(jsonSchema(schema, new Map()))
  return Object.fromEntries(
    Object.entries(properties as JsonObject).map(([name, each]) => {
      const said = words[name]
      return [name, { ...(each as JsonObject), ...(typeof said === 'string' ? { description: said } : said) }]
    }),
  )
}

const objectOf = (properties: JsonObject, required: readonly string[] = []): ObjectSchema => ({
  type: 'object',
  properties,
  ...(required.length > 0 ? { required: [...required] } : {}),
})

const fieldsOf = (schema: v.GenericSchema): JsonObject => propertiesOf(schema, FIELD_WORDS)

const task = objectOf(propertiesOf(TaskSchema, TASK_WORDS), ['id', 'type'])
const graph: JsonObject = {
  ...fieldsOf(TaskGraphSchema),
  tasks: { type: 'array', items: task, description: FIELD_WORDS['tasks']! },
}

export const SUBMIT_INPUT = objectOf({ ...graph, ...fieldsOf(SubmitFields) }, ['tasks'])
export const RUN_INPUT = objectOf({ ...graph, ...fieldsOf(RunFields) }, ['tasks'])
export const GET_INPUT = objectOf(fieldsOf(GetFields), ['id'])
export const WAIT_INPUT = objectOf(fieldsOf(WaitSchema))
export const CANCEL_INPUT = objectOf({ ...fieldsOf(CancelFields), ...fieldsOf(CancelSchema) })
export const LIST_INPUT = objectOf(fieldsOf(ListFields))

const words = (description: string): JsonObject => ({ type: 'string', description })
const status: JsonObject = { type: 'string', enum: [...STATUSES] }
const notes: JsonObject = {
  type: 'array',
  items: { type: 'string' },
  description: 'What is left out, and how to get it.',
}
const toldTask = objectOf(
  {
    id: { type: 'string' },
    status,
    tool: { type: 'string' },
    run_status: words('cancelled, where it was.'),
    attempt: { type: 'integer' },
    duration_ms: { type: 'integer' },
    error: { type: 'string' },
    error_code: { type: 'string' },
    result: { description: 'What the tool put out, cut where it is long.' },
    graph_id: { type: 'string' },
    created_at: { type: 'string' },
    updated_at: { type: 'string' },
  },
  ['id', 'status'],
)
const tasks: JsonObject = { type: 'array', items: toldTask }
const graphAnswer = jsonSchema(GraphAnswer, new Map())

export const SUBMIT_OUTPUT = objectOf({ ...propertiesOf(SubmittedAnswer, {}), notes }, [
  'accepted',
  'task_ids',
])
/** Of `run_graph` and `wait`. */
export const WAITED_OUTPUT = objectOf(
  {
    done: { type: 'boolean', description: 'Whether what was waited for has come. False: wait again.' },
    ok: { type: 'boolean', description: 'Whether every task succeeded. Absent while one is not over.' },
    graph: graphAnswer,
    tasks,
    notes,
  },
  ['done', 'tasks'],
)
/** A task, or a part of a text of it. */
export const GET_OUTPUT = objectOf({
  task: { type: 'object', description: 'As GET /tasks/{id} answers it.' },
  text: { type: 'string' },
  total_chars: { type: 'integer' },
  next_offset: { type: 'integer', description: 'Where the text goes on; absent at its end.' },
  notes,
})
export const CANCEL_OUTPUT = objectOf({ task: toldTask, graph: graphAnswer, notes })
export const LIST_OUTPUT = objectOf(
  { tasks, next_cursor: words('For the next page; absent at the end.'), notes },
  ['tasks'],
)
