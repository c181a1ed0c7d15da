/** The package's version, read from its package.json: beside src/ under tsx, above dist/src/ in a build. */
import { readFileSync } from 'node:fs'
import { packageRoot } from './package-root.ts'

export const VERSION: string = (
  JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string }
).version
