/** What a terminal shows of a graph under way: a line for each task that runs, and one for all of them. */
import stringWidth from 'string-width'
import type { Paint } from '../output.ts'
import { cut, oneLine } from '../table.ts'
import type { Attempt, Tracker } from './tracker.ts'

export interface Size {
  readonly columns: number
  readonly rows: number
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const FRAME_MS = 100

/** What is over sooner would only flicker by. */
const SHOWN_AFTER_MS = 300
/** More would push everything else off the screen. */
const MOST_ROWS = 12

/** The lines, all of which fit. @param startedMs when the graph was submitted, by the same clock as `nowMs` */
export const view = (
  tracker: Tracker,
  startedMs: number,
  nowMs: number,
  { columns, rows }: Size,
  paint: Paint,
): string[] => {
  // A line that fills its row would wrap where the next one begins.
  const width = columns - 1
  const most = Math.max(0, Math.min(MOST_ROWS, rows - 4))
  const shown: Attempt[] = []
  let more = 0
  for (const attempt of tracker.running.values()) {
    if (nowMs - attempt.startedMs < SHOWN_AFTER_MS) continue
    if (shown.length < most) shown.push(attempt)
    else more++
  }
  const frame = FRAMES[Math.floor(nowMs / FRAME_MS) % FRAMES.length]!
  const lines = runningLines(shown, frame, nowMs, width, paint)
  if (more > 0) lines.push(paint('dim', cut(`  … and ${more} more`, width)))
  lines.push(totalLine(tracker, nowMs - startedMs, width, paint))
  return lines
}

const runningLines = (
  attempts: readonly Attempt[],
  frame: string,
  nowMs: number,
  width: number,
  paint: Paint,
): string[] => {
  const cells = attempts.map(({ id, startedMs, attempt, message }) => {
    const note = [attempt > 1 ? `attempt ${attempt}` : '', oneLine(message)].filter((each) => each !== '')
    return { id: oneLine(id), time: clock(nowMs - startedMs), note: note.join(' · ') }
  })
  const timeWidth = Math.max(0, ...cells.map(({ time }) => time.length))
  const room = Math.max(
    8,
    Math.floor((width - timeWidth - 4) * (cells.some(({ note }) => note !== '') ? 0.6 : 1)),
  )
  const idWidth = Math.min(room, Math.max(0, ...cells.map(({ id }) => stringWidth(id))))
  return cells.map(({ id, time, note }) => {
    const name = cut(id, idWidth)
    const blank = ' '.repeat(Math.max(0, idWidth - stringWidth(name)))
    const left = width - 2 - idWidth - 2 - timeWidth - 2
    const noted = note !== '' && left > 4 ? `  ${paint('dim', cut(note, left))}` : ''
    return `${paint('cyan', frame)} ${name}${blank}  ${time.padStart(timeWidth)}${noted}`
  })
}

const BAR_COLUMNS = 20
const LEAST_FOR_BAR = 60

const totalLine = (tracker: Tracker, elapsedMs: number, width: number, paint: Paint): string => {
  const { total, over, running, waiting, ends } = tracker
  const counts: [string, Parameters<Paint>[0]][] = [[`${over}/${total} done`, 'bold']]
  if (ends.failed > 0) counts.push([`${ends.failed} failed`, 'red'])
  if (ends.cancelled > 0) counts.push([`${ends.cancelled} cancelled`, 'yellow'])
  if (ends.skipped > 0) counts.push([`${ends.skipped} skipped`, 'yellow'])
  if (running.size > 0) counts.push([`${running.size} running`, 'cyan'])
  if (waiting > 0) counts.push([`${waiting} waiting`, 'dim'])
  const bar = width >= LEAST_FOR_BAR ? `${barOf(tracker, paint)}  ` : ''
  const time = `  ${clock(elapsedMs)}`
  let left = width - (bar === '' ? 0 : BAR_COLUMNS + 2) - time.length
  let line = ''
  for (const [text, style] of counts) {
    const part = line === '' ? text : ` · ${text}`
    if (part.length > left) break
    left -= part.length
    line += line === '' ? paint(style, text) : ` ${paint('dim', '·')} ${paint(style, text)}`
  }
  return cut(bar, width) + line + paint('dim', time)
}

const barOf = ({ total, over, ends }: Tracker, paint: Paint): string => {
  const columns = (count: number): number => Math.floor((count / Math.max(1, total)) * BAR_COLUMNS)
  const done = columns(over)
  // One that failed is seen among however many.
  const bad =
    ends.failed > 0 && done > 0 ? Math.max(1, columns(over - ends.success)) : columns(over - ends.success)
  return (
    paint('green', '━'.repeat(Math.max(0, done - bad))) +
    paint('red', '━'.repeat(bad)) +
    paint('dim', '─'.repeat(Math.max(0, BAR_COLUMNS - Math.max(done, bad))))
  )
}

/** `0.4s`, `12.3s`, `3:07`, `1:02:09`: of one that runs on in the same place. */
const clock = (ms: number): string => {
  if (ms < 60_000) return `${(Math.max(0, ms) / 1000).toFixed(1)}s`
  const s = Math.floor(ms / 1000)
  const minutes = Math.floor(s / 60)
  return minutes < 60
    ? `${minutes}:${two(s % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`
}

const two = (number: number): string => String(number).padStart(2, '0')
