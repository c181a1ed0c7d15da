import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { BoundedOutput } from '../../../../workers/process/bounded-output.ts'
import { drainPipes, PipeReader } from '../../../../workers/process/pipe-reader.ts'
import { StreamPipe } from '../../../../workers/process/stream-pipe.ts'

const open = () => {
  const stream = new PassThrough()
  const output = new BoundedOutput(1024)
  return { stream, output, reader: new PipeReader(new StreamPipe(stream), output) }
}

const blockFor = (ms: number): void => {
  for (const endMs = performance.now() + ms; performance.now() < endMs; );
}

test('a drain takes what is there, to the end', async () => {
  const { stream, output, reader } = open()
  stream.write('first ')
  setImmediate(() => stream.end('last'))
  await drainPipes([reader])
  assert.equal(output.finish().text, 'first last')
})

test('a drain gives up a pipe that stays open, and closes it', async () => {
  const { stream, output, reader } = open()
  stream.write('all there is')
  await drainPipes([reader])
  assert.equal(output.finish().text, 'all there is')
  assert.ok(stream.destroyed)
})

test('the time in which the thread is busy does not count', async () => {
  const { stream, output, reader } = open()
  setImmediate(() => {
    blockFor(300)
    setImmediate(() => stream.end('late'))
  })
  await drainPipes([reader])
  assert.equal(output.finish().text, 'late')
})
