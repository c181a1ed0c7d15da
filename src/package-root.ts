/** The package's own folder, with a slash at its end: above src/ under tsx, above dist/ in a build. */
import { existsSync } from 'node:fs'

const above = new URL('../', import.meta.url)

export const packageRoot: URL = existsSync(new URL('package.json', above)) ? above : new URL('../', above)
