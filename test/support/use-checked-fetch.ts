/** For `--import`: what a program of its own asks with `fetch` is checked too, and ends it where it is not as documented. */
import { fetch } from './checked-fetch.ts'

globalThis.fetch = fetch
