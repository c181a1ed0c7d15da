/**
 * An HTTP/1.1 client that costs little, for what is asked beside the load that is measured: how far it is, and whether the
 * server answers. Keep-alive sockets, requests that are bytes already, one buffer for each connection, and of an answer no
 * more is read than {@link AnswerReader} has to.
 */
import { type Socket, connect } from 'node:net'
import { AnswerReader } from './answer-reader.ts'

const BUFFER_BYTES = 64 * 1024

export class Connection {
  readonly #socket: Socket
  readonly #reader = new AnswerReader()
  #onAnswer: ((status: number) => void) | null = null
  #onFailure: ((error: Error) => void) | null = null

  private constructor(port: number) {
    const buffer = Buffer.allocUnsafe(BUFFER_BYTES)
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer, callback: (size) => this.#read(buffer, size) },
    })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  static open(port: number): Promise<Connection> {
    const connection = new Connection(port)
    return new Promise((resolve, reject) => {
      connection.#onFailure = reject
      connection.#socket.once('connect', () => resolve(connection))
    })
  }

  /** Sends the bytes of one request. One at a time: the next one when the answer is there. */
  send(request: Buffer, onAnswer: (status: number) => void, onFailure: (error: Error) => void): void {
    this.#onAnswer = onAnswer
    this.#onFailure = onFailure
    if (this.#socket.destroyed) this.#fail(new Error('the connection is closed'))
    else this.#socket.write(request)
  }

  /** Sends one request and keeps the text of its answer. */
  async ask(request: Buffer): Promise<{ readonly status: number; readonly text: string }> {
    this.#reader.keepsBody = true
    const status = await new Promise<number>((resolve, reject) => this.send(request, resolve, reject))
    this.#reader.keepsBody = false
    return { status, text: this.#reader.text }
  }

  close(): void {
    this.#onFailure = null
    this.#socket.destroy()
  }

  #read(buffer: Buffer, size: number): boolean {
    try {
      if (this.#reader.push(buffer, size)) this.#onAnswer?.(this.#reader.status)
    } catch (error) {
      this.#fail(error as Error)
    }
    return true
  }

  #fail(error: Error): void {
    this.#onFailure?.(error)
    this.#onFailure = null
    this.#socket.destroy()
  }
}

/** Opens some connections, and closes them when `use` is through. */
export const withConnections = async <T>(
  port: number,
  count: number,
  use: (connections: readonly Connection[]) => Promise<T>,
): Promise<T> => {
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(port)))
  try {
    return await use(connections)
  } finally {
    for (const connection of connections) connection.close()
  }
}
