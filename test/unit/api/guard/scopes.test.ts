/** Which scope each route and each call needs: none is forgotten, for which `admin` would be asked. @see contract B5 */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { loadSync } from '@grpc/proto-loader'
import { needOfCall, needOfRequest } from '../../../../src/api/guard/scopes.ts'
import { openApiDocument } from '../../../../src/api/openapi/document.ts'

test('every call of the service', () => {
  const proto = fileURLToPath(new URL('../../../../proto/execgo/v1/execgo.proto', import.meta.url))
  const service = loadSync(proto)['execgo.v1.ExecGo'] as Record<string, { readonly path: string }>
  const needs = Object.values(service).map(({ path }) => [path.replace(/.*\//, ''), needOfCall(path)])
  assert.deepEqual(Object.fromEntries(needs), {
    SubmitTasks: 'submit',
    GetTask: 'read',
    ListTasks: 'read',
    DeleteTask: 'cancel',
    CancelTask: 'cancel',
    ExplainTask: 'read',
    GetGraph: 'read',
    CancelGraph: 'cancel',
    WaitTasks: 'read',
    WatchTasks: 'read',
    Health: null,
    Metrics: 'read',
  })
  assert.equal(needOfCall('/grpc.health.v1.Health/Check'), null)
  assert.equal(needOfCall('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'), 'read')
  for (const path of ['/execgo.v1.ExecGo/New', '/x/constructor', '/x/Health', ''])
    assert.equal(needOfCall(path), 'admin', path)
})

test('every route', () => {
  for (const [path, operations] of Object.entries(openApiDocument('1').paths as object)) {
    for (const [method, { security }] of Object.entries(operations as Record<string, any>)) {
      const need = needOfRequest(method.toUpperCase(), path)
      assert.notEqual(need, 'admin', `${method} ${path}`)
      assert.deepEqual(security, need === null ? [] : [{ bearer: [need] }, {}])
    }
  }
  for (const path of ['/docs', '/docs/start.js', '/openapi.json', '/docs?x=1'])
    assert.equal(needOfRequest('GET', path), 'anyone', path)
  for (const path of [
    '/docs/../tasks',
    '/docs/x/y',
    '/docs/%2e%2e',
    '/DOCS',
    '/openapi.json/',
    '//health',
    '/health/',
  ])
    assert.equal(needOfRequest('GET', path), 'read', path)
  assert.equal(needOfRequest('POST', '/docs'), 'admin')
})
