/**
 * When a failed attempt is followed by another.
 * @see contract A4
 */
const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 10_000

/** How long after attempt `attempt` (from 1) ended the next one begins. */
export const retryDelayMs = (attempt: number): number =>
  attempt > 7 ? LONGEST_DELAY_MS : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1))

/**
 * Whether a failure is followed by another attempt.
 * @param retry extra attempts that the task may have
 * @param failures how many attempts failed, this one too
 * @param isFinal a refusal that another attempt cannot change
 */
export const mayRetry = (retry: number, failures: number, isFinal: boolean): boolean =>
  !isFinal && failures <= retry
