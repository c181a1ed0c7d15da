/** What a query may say. */
import { type Result, ok, refused } from '../../domain/errors.ts'
import { wholeNumber } from '../grace.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1000

/** How many a page of a list holds. */
export const limitIn = (given: string | undefined): Result<number> => {
  const limit = given === undefined ? DEFAULT_LIMIT : wholeNumber(given)
  return limit >= 1 && limit <= MAX_LIMIT
    ? ok(limit)
    : refused('invalid', `limit must be from 1 to ${MAX_LIMIT}`)
}

/** Where a page goes on; `''` for the first. */
export const cursorIn = (given: string | undefined): string => given ?? ''
