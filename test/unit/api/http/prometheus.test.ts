import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatOf } from '../../../../src/api/http/prometheus.ts'

test('text goes to those who prefer it to JSON', () => {
  for (const [accept, format] of [
    ['', null],
    ['*/*', null],
    ['application/json', null],
    ['application/json, text/plain, */*', null],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', null],
    ['text/plain;q=0.5, application/json', null],
    ['text/plain;q=0', null],
    ['text/plain', 'prometheus'],
    ['TEXT/PLAIN; version=0.0.4', 'prometheus'],
    ['text/*, application/json;q=0.5', 'prometheus'],
    ['application/openmetrics-text', 'openmetrics'],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
    ['text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.3,*/*;q=0.1', 'prometheus'],
  ] as const)
    assert.equal(formatOf(accept), format, accept)
})
