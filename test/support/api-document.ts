/**
 * Checks that an answer over HTTP is what the document of the API says: its route, its status, its media type, and each
 * of its fields. All that tests get goes through here: by `request` and `fetch` (checked-fetch.ts), or where a test reads
 * a connection itself, by {@link expectAnswer}.
 *
 * Not looked at is what other programs get and no test sees: a browser's own requests, curl and the clients of several
 * languages in the blocks of the pages, and the clients of the benchmark. What Node's parser or the adapter refuses
 * before there is a request has no route: it is held against the refusals that any request may get.
 */
import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { openApiDocument } from '../../src/api/openapi/document.ts'

/** A field that the document does not know is an error here, unless it says that there may be others. */
const closed = (schema: any): any => {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  return 'properties' in copy ? { additionalProperties: false, ...copy } : copy
}

/** As much of the document as is looked at. */
interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: object
}
interface Operation {
  readonly responses: Readonly<Record<string, Documented>>
}
interface Documented {
  readonly content?: Readonly<Record<string, { readonly schema: { readonly $ref?: string } }>>
}

const { paths, components }: ApiDocument = JSON.parse(JSON.stringify(openApiDocument('')))

/** What serves the document itself; and `/mcp`, which another protocol describes. */
const isUndocumented = (path: string): boolean =>
  path === '/openapi.json' || path === '/mcp' || /^\/docs(\/|$)/.test(path)

/** Of a request that no route takes: malformed, too slow or too large, or refused by a guard, or by the router. */
const UNROUTED = [400, 401, 403, 404, 405, 408, 429, 431]

/** Paths that the server sees as others than they were sent. */
const REWRITTEN = /[\\#]|\/\.{1,2}(?:[/?]|$)/

const templates = Object.keys(paths).map((name) => ({
  operations: paths[name]!,
  path: new RegExp(`^${name.replaceAll('.', '\\.').replaceAll('{id}', '[^/]+')}$`),
}))

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
ajv.addVocabulary(['components'])
addFormats.default(ajv)
ajv.addSchema({ $id: 'api', components: closed(components) })

/** Of a long list, the first ones and the last ones are looked at, so many of each. */
const MOST_ITEMS = 500

const sample = (body: unknown): unknown =>
  Array.isArray(body) && body.length > MOST_ITEMS * 2
    ? [...body.slice(0, MOST_ITEMS), ...body.slice(-MOST_ITEMS)]
    : body

const expectSchema = (ref: string, body: unknown, what: string): void => {
  const isSo = ajv.getSchema(`api${ref}`)!
  if (!isSo(sample(body)))
    assert.fail(`${what}: ${JSON.stringify(isSo.errors)} in ${JSON.stringify(body).slice(0, 2000)}`)
}

/** An answer as it came, whoever asked for it. */
export interface Came {
  readonly status: number
  /** Its `Content-Type`, `''` for none. */
  readonly type: string
  /** `null` where not all of it came, or nobody waited for it: the rest is looked at. */
  readonly text: string | null
}

const expectBody = (ref: string | undefined, { type, text }: Came, what: string): void => {
  if (text === null) return
  if (ref === undefined) assert.ok(type !== 'application/json' && (type !== '' || text === ''), what)
  else expectSchema(ref, JSON.parse(text), what)
}

const operationOf = (method: string, path: string): Operation | undefined => {
  const name = method === 'HEAD' ? 'get' : method.toLowerCase()
  return templates.find((each) => Object.hasOwn(each.operations, name) && each.path.test(path))?.operations[
    name
  ]
}

/**
 * Throws where the answer is not as documented.
 * @param method `''` where what was sent is no request
 * @param url as it was sent, with its query
 */
export const expectAnswer = (method: string, url: string, came: Came): void => {
  const { status, type, text } = came
  const what = `${method} ${url.slice(0, 200)} answers ${status} ${type}: ${text?.slice(0, 2000)}`
  const path = url.replace(/^https?:\/\/[^/?#]*|\?.*/gs, '')
  if (isUndocumented(path) && status === 200) return
  // A browser asks before it asks.
  if (method === 'OPTIONS' && status === 204) return
  if (method === 'HEAD') assert.equal(text ?? '', '', what)
  const operation = operationOf(method, path)
  if (REWRITTEN.test(path) ? status >= 400 : operation === undefined) {
    assert.ok(UNROUTED.includes(status), `${what}: there is no such route`)
    assert.equal(type, 'application/json', what)
    if (method !== 'HEAD') expectBody('#/components/schemas/Problem', came, what)
    return
  }
  if (operation === undefined) return
  const answer = operation.responses[status]
  assert.ok(answer, `${what}: that is not documented`)
  const media = answer.content ?? { '': { schema: {} } }
  const found = media[type.replace(/;.*/s, '')]
  assert.ok(found, `${what}: documented is ${Object.keys(media)}`)
  if (method !== 'HEAD') expectBody(found.schema.$ref, came, what)
}
