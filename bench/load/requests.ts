/** Requests as the bytes that go out, made before the clock starts. */

const HEAD = 'HTTP/1.1\r\nHost: 127.0.0.1\r\n'

export const get = (path: string): Buffer => Buffer.from(`GET ${path} ${HEAD}\r\n`)

export const post = (path: string, body: string): Buffer =>
  Buffer.from(
    `POST ${path} ${HEAD}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
