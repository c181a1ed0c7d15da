/** JSON lines on stdout, by pino: `time` in RFC 3339, `level` as a word. */
import { type Logger, destination, pino, stdTimeFunctions } from 'pino'

export const createLogger = (level: string): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Written at once: a line that is still in a buffer is lost in a crash, and then it is the one that is needed.
    destination({ fd: 1, sync: true }),
  )
