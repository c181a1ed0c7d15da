/**
 * `text` with each half of a surrogate pair that stands alone replaced by U+FFFD. JSON can hold such halves, UTF-8
 * cannot: proto clients refuse a whole answer for one of them, and a status message with one cannot be sent at all.
 */
export const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd')
