/**
 * Learns from a pidfd that its process is over. A pidfd is readable from then on, so it belongs into the event loop.
 * Node has no public handle for one; its handle for pipes will do, which a socket over a pipe shows. That one reads
 * as soon as it can: here it fails to, which tells us what we want to know. It owns the descriptor, so Node closes
 * that when the thread ends, in whatever way.
 */
import { Socket } from 'node:net'
import type { Libc } from './libc.ts'

interface PipeHandle {
  onread: () => void
  /** These return 0, or the error as a negative number. */
  open(fd: number): number
  readStart(): number
  close(): void
}

/** Its argument says what it is for: 0 is neither a server nor a channel between processes. */
export type PipeHandleClass = new (type: 0) => PipeHandle

const O_CLOEXEC = 0o2000000

/** @throws where this Node has none */
export const findPipeHandleClass = (libc: Libc): PipeHandleClass => {
  const ends = new Int32Array(2)
  if (libc.pipe2(ends, O_CLOEXEC) !== 0) throw new Error(`pipe2: error ${libc.errno()}`)
  libc.close(ends[1]!)
  const socket = new Socket({ fd: ends[0]!, readable: true, writable: false })
  const { _handle: handle } = socket as unknown as { _handle: { constructor: PipeHandleClass } }
  socket.destroy()
  return handle.constructor
}

/** Calls `onOver` once, in a later turn of the event loop. Returns 0, or the error; the descriptor is then closed. */
export const watchPidfd = (
  libc: Libc,
  Handle: PipeHandleClass,
  pidfd: number,
  onOver: () => void,
): number => {
  const handle = new Handle(0)
  let isOver = false
  handle.onread = () => {
    if (isOver) return
    isOver = true
    handle.close()
    onOver()
  }
  const refusal = handle.open(pidfd)
  if (refusal !== 0) libc.close(pidfd)
  const error = refusal || handle.readStart()
  if (error !== 0) handle.close()
  return -error
}
