import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Json } from '../../src/domain/json.ts'
import { quote } from '../../src/domain/quote.ts'
import { asSystemError, lookupReason, stopReason } from '../reasons.ts'
import { InputFields } from './input.ts'
import { done, failDuring, refuse, type Tool, type ToolContext } from './tool.ts'

/** Longest chain of canonical names that is followed. */
const MAX_CNAMES = 10

/** The addresses that this machine itself would use: its hosts file counts. */
const addresses = async (name: string): Promise<string[]> =>
  (await lookup(name, { all: true })).map(({ address }) => address)

/** A resolver of this attempt's own: cancelling it must not touch another's questions. */
const resolverFor = (context: ToolContext): Resolver => {
  const resolver = new Resolver()
  context.signal.addEventListener('abort', () => resolver.cancel())
  return resolver
}

const texts = async (name: string, resolver: Resolver): Promise<string[]> =>
  (await resolver.resolveTxt(name)).map((parts) => parts.join(''))

/** The name at the end of the chain, with its closing dot; the name itself where it has addresses but no CNAME. */
const canonicalName = async (name: string, resolver: Resolver): Promise<string> => {
  let current = name.replace(/\.$/, '')
  for (let step = 0; step < MAX_CNAMES; step++) {
    try {
      const [next] = await resolver.resolveCname(current)
      if (next === undefined) break
      current = next
    } catch (error) {
      if (step === 0 && asSystemError(error).code === 'ENODATA') await addresses(current)
      else if (step === 0) throw error
      break
    }
  }
  return `${current}.`
}

const notFound = (): Error => Object.assign(new Error('an address has no such record'), { code: 'ENOTFOUND' })

const RECORDS: Readonly<Record<string, { readonly what: string; readonly key: string }>> = {
  ip: { what: 'host', key: 'addrs' },
  txt: { what: 'txt', key: 'txt' },
  cname: { what: 'cname', key: 'cname' },
}

const answer = async (name: string, record: string, context: ToolContext): Promise<Json> => {
  if (record === 'ip') return addresses(name)
  if (isIP(name) !== 0) throw notFound()
  const resolver = resolverFor(context)
  return record === 'txt' ? texts(name, resolver) : canonicalName(name, resolver)
}

/** Rejects at the abort: the system's resolver itself cannot be interrupted. */
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })

/** Asks for a name's addresses, texts or canonical name. @see contract A5 */
export const dns: Tool = {
  name: 'dns',
  async run(input, context) {
    const fields = new InputFields(input, context, 'dns params', 'DNSParams')
    const [name, asked] = [fields.string('name'), fields.string('record')]
    if (fields.problem !== null) return refuse(fields.problem)
    if (name.trim() === '') return refuse('name is required')
    const record = asked.trim().toLowerCase() || 'ip'
    const kind = Object.hasOwn(RECORDS, record) ? RECORDS[record] : undefined
    if (kind === undefined) return refuse(`record must be one of: ip, txt, cname (got ${quote(asked)})`)
    try {
      const found = await Promise.race([answer(name, record, context), untilAborted(context.signal)])
      return done(record === 'txt' ? { name, record, txt: found } : { [kind.key]: found, name, record })
    } catch (error) {
      const { signal } = context
      const reason = signal.aborted ? `lookup ${name}: ${stopReason(signal)}` : lookupReason(name, error)
      return failDuring(`lookup ${kind.what}: ${reason}`, context)
    }
  },
}
