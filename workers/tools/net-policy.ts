/**
 * Keeps `http` and `tcp` on the public net where EXECGO_NET_POLICY says so. What counts is the address that is connected
 * to: a name is judged by what it means at that moment, when the connection is made, so that it cannot mean one thing to
 * the check and another to the connection.
 * @see contract B5
 */
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { WorkerSettings } from '../../src/pool/messages.ts'

/** An address that the policy refuses, as an error of a connection. */
export const NOT_PUBLIC = 'EXECGO_NOT_PUBLIC'

/** The addresses given out for use on the net, of IPv6: whatever else there is means something special. */
const GLOBAL_UNICAST = ipaddr.IPv6.parse('2000::')

/** A cloud's own service behind an address that looks like any other: Azure's, which hands out the machine's secrets. */
const SERVICES: ReadonlySet<string> = new Set(['168.63.129.16'])

/** Not loopback, private, link-local (metadata services too), shared, multicast, reserved, or one of these mapped to IPv6. */
export const isPublic = (address: string): boolean => {
  if (address.includes('%') || !ipaddr.isValid(address)) return false
  // An IPv4 address in IPv6's clothes is judged as what it is.
  const found = ipaddr.process(address)
  if (SERVICES.has(found.toString())) return false
  return found.range() === 'unicast' && (found.kind() === 'ipv4' || found.match(GLOBAL_UNICAST, 3))
}

/** Of a host that is an address itself: nobody looks that up. */
export const isRefusedAddress = (host: string, { netPolicy }: WorkerSettings): boolean => {
  const address = host.replace(/^\[|\]$/g, '')
  return netPolicy === 'public' && isIP(address) !== 0 && !isPublic(address)
}

export const refusalOf = (host: string): string =>
  `${host} is not a public address, and EXECGO_NET_POLICY allows no other`

const onlyPublic: LookupFunction = (host, options: LookupOptions, callback) => {
  systemLookup(host, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error !== null) return callback(error, '', 0)
    const allowed = addresses.filter(({ address }) => isPublic(address))
    const [first] = allowed
    if (first === undefined)
      return callback(Object.assign(new Error(refusalOf(host)), { code: NOT_PUBLIC }), '', 0)
    if (options.all === true) callback(null, allowed)
    else callback(null, first.address, first.family)
  })
}

/** For a connection's options: its own way of looking names up, where there is a policy. */
export const lookupFor = ({ netPolicy }: WorkerSettings): { readonly lookup?: LookupFunction } =>
  netPolicy === 'public' ? { lookup: onlyPublic } : {}
