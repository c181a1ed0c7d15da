/** What LMDB says when it cannot open or read, in words that tell what to do. */
export const explain = <T>(path: string, open: () => T): T => {
  try {
    return open()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const advice = /ENOSPC|No space/.test(reason)
      ? 'make room on the disk'
      : /EACCES|EPERM|EROFS|Permission|Read-only/i.test(reason)
        ? 'let this user write there'
        : isBadData(error) || /MDB_|damaged|not valid|Unexpected|invalid/i.test(reason)
          ? 'it is damaged: restore the data directory from a backup, or move it away to start empty'
          : 'see the reason'
    throw new Error(`${path} cannot be opened: ${reason}. ${advice[0]!.toUpperCase()}${advice.slice(1)}`, {
      cause: error,
    })
  }
}

/** What reading a record throws that is not as it was written. */
const isBadData = (error: unknown): boolean =>
  error instanceof SyntaxError || error instanceof RangeError || error instanceof TypeError
