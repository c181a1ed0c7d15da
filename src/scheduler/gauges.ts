/** How much there is of what, now. */
export interface Gauges {
  readonly slots: number
  readonly slotsInUse: number
  /** In line for a slot. */
  readonly ready: number
  /** Accepted and not over. */
  readonly unfinished: number
  /** Over, and not handed to the store yet. */
  readonly unsaved: number
}
