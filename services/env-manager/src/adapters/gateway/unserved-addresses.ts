import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** Of the machine that the gateway runs on, not of any service: there clouds hand out the machine's own credentials. */
const unserved = new BlockList()
unserved.addSubnet('169.254.0.0', 16, 'ipv4')
unserved.addSubnet('fe80::', 10, 'ipv6')
unserved.addAddress('fd00:ec2::254', 'ipv6')

/** Whether an IP address is one that the gateway asks for nobody. False for names. */
export function isUnserved(address: string): boolean {
  const bare = address.replace(/^\[|\]$|%.*$/g, '')
  const family = isIP(bare)
  return family !== 0 && unserved.check(bare, family === 6 ? 'ipv6' : 'ipv4')
}

/** As `dns.lookup`, but a name that leads to an address which is not served does not exist: whoever registers an endpoint chooses its name too. */
export const lookupServed: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, options, (error, found, family) => {
    const addresses = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address)
    if (error === null && addresses.some(isUnserved)) {
      const refused = Object.assign(new Error(`${hostname} leads to a link-local address`), { code: 'ENOTFOUND' })
      callback(refused, found, family)
    } else callback(error, found, family)
  })
}
