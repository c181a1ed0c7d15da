/** How deep JSON is nested. */

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Whether arrays and objects lie in one another more than `levels` deep. `json` was parsed: it is known to be JSON. */
export const isDeeperThan = (json: string, levels: number): boolean => {
  // Each level takes two brackets.
  if (json.length < 2 * (levels + 1)) return false
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at)
    if (char === QUOTE) at = endOfString(json, at)
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > levels) return true
    } else if (char === 0x7d || char === 0x5d) depth--
  }
  return false
}

/** The place of the quote that ends the string which begins at `start`. */
const endOfString = (json: string, start: number): number => {
  for (let end = start; ; ) {
    end = json.indexOf('"', end + 1)
    let before = end - 1
    while (json.charCodeAt(before) === BACKSLASH) before--
    if ((end - before) % 2 === 1) return end
  }
}
