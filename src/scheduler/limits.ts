/** What is said where the limit of unfinished tasks is reached. */
export const tooManyUnfinished = (unfinished: number, more: number, most: number): string =>
  `${unfinished} tasks are not over, and ${more} more would be over the limit of ${most}: try again when some have ended`
