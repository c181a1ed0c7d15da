/** Checks that an answer over HTTP is what the document of the API says: its route, its status, and each of its fields. */
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
  readonly responses: Readonly<Record<string, Answer>>
}
interface Answer {
  readonly content?: { readonly 'application/json'?: { readonly schema: { readonly $ref: string } } }
}

const { paths, components }: ApiDocument = JSON.parse(JSON.stringify(openApiDocument('')))

/** What serves the document itself. */
const isUndocumented = (path: string): boolean => path === '/openapi.json' || /^\/docs(\/|$)/.test(path)

/** Of a request that no route takes: malformed, or refused by a guard, or by the router. */
const UNROUTED = [400, 401, 403, 404, 405, 429]

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

/**
 * Throws where the answer is not as documented.
 * @param url as it was sent, with its query
 * @param body the parsed JSON, `null` for none
 */
export const expectDocumented = (method: string, url: string, status: number, body: unknown): void => {
  const what = `${method} ${url.slice(0, 200)} answers ${status}`
  const path = url.replace(/\?.*/s, '')
  if (isUndocumented(path) && status === 200) return
  const name = method === 'HEAD' ? 'get' : method.toLowerCase()
  const operation = templates.find((each) => Object.hasOwn(each.operations, name) && each.path.test(path))
    ?.operations[name]
  if (operation === undefined) {
    assert.ok(UNROUTED.includes(status), `${what}, which has no such route`)
    if (method !== 'HEAD') expectSchema('#/components/schemas/Problem', body, what)
    return
  }
  const answer = operation.responses[status]
  assert.ok(answer, `${what}, which is not documented: ${JSON.stringify(body).slice(0, 2000)}`)
  const ref = answer.content?.['application/json']?.schema.$ref
  if (ref === undefined || method === 'HEAD') assert.equal(body, null, what)
  else expectSchema(ref, body, what)
}
