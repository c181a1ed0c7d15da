/**
 * An answer whose text is all there goes out as one string. Node's own `end(text)` lets an empty piece follow it, and
 * two pieces take the long way of `writev`: a GET of a small task would cost 5 % more.
 */
import { type IncomingMessage, ServerResponse } from 'node:http'

export class TextResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  override end(...given: readonly unknown[]): this {
    const [text] = given
    const { socket } = this
    const isAlone = given.length === 1 && typeof text === 'string' && text !== '' && this.headersSent
    // Behind what still waits, the empty piece tells when all of it is out; on a closed one, that nothing will be.
    if (!isAlone || socket?.writable !== true || socket.writableLength > 0)
      return super.end(...(given as [unknown]))
    // Else write() would hold it until the next tick.
    socket.cork()
    this.write(text)
    socket.uncork()
    return super.end()
  }
}
