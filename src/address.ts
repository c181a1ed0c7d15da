/** Addresses to listen on: `host:port`, `:port`, `[::1]:port`. */
export interface Address {
  /** `''` for every interface. */
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
}

/** The address, or `null` where the text is none. */
export const parseAddress = (text: string): Address | null => {
  const match = /^(?:\[([0-9a-fA-F:.%\w]*)\]|([^:[\]\s/]*)):(\d{1,5})$/.exec(text)
  if (match === null) return null
  const port = Number(match[3])
  return port > 65_535 ? null : { host: match[1] ?? match[2] ?? '', port }
}

export const formatAddress = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
