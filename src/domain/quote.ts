/** `text` in double quotes the way Go's `%q` writes it, which the guide's messages follow. */
export const quote = (text: string): string =>
  JSON.stringify(text).replace(
    // A backslash that is text comes first, so that what follows it is not taken for an escape.
    /\\\\|\\u00([01][0-9a-f])|[\u007f-\u00a0\u00ad\u2028\u2029\ufeff]/g,
    (found, hex: string | undefined) => {
      if (found === '\\\\') return found
      if (hex === '07') return '\\a'
      if (hex === '0b') return '\\v'
      if (hex !== undefined) return `\\x${hex}`
      const code = found.charCodeAt(0)
      return code < 0x80 ? `\\x${code.toString(16)}` : `\\u${code.toString(16).padStart(4, '0')}`
    },
  )
