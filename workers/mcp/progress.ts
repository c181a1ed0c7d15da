/** What a server tells of its progress, as lines of a task. */
import type { Progress } from '@modelcontextprotocol/client'

/** As many as a task keeps go through at once; then one in a while. */
const FREE_LINES = 100
const EVERY_MS = 100
const MAX_CHARACTERS = 1000

/** `3/10: copying`. */
const lineOf = ({ progress, total, message }: Progress): string => {
  const count = total === undefined ? String(progress) : `${progress}/${total}`
  return message === undefined || message === '' ? count : `${count}: ${message.slice(0, MAX_CHARACTERS)}`
}

/** For one call: a server that tells a thousand times a second keeps the daemon no busier than another. */
export const progressLines = (onLine: (line: string) => void): ((progress: Progress) => void) => {
  let lines = 0
  let lastMs = 0
  return (progress) => {
    const nowMs = performance.now()
    if (lines >= FREE_LINES && nowMs < lastMs + EVERY_MS) return
    lines++
    lastMs = nowMs
    onLine(lineOf(progress))
  }
}
