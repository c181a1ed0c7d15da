/** What keeps in whatever a browser opens. @see contract B5 */

/**
 * Nothing but what the daemon itself serves is loaded or asked, no page shows it in a frame, and pages of other sites
 * cannot load it as a script or a picture. The styles of the documentation page are set by its script.
 */
export const BROWSER_HEADERS: readonly (readonly [name: string, value: string])[] = [
  [
    'Content-Security-Policy',
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
]
