import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { ROOT } from './platform.js'

const POOL = `
const jobs = []
setInterval(() => { for (const job of jobs.splice(0)) job() }, 5)
function fromPool(work) {
  return new Promise((resolve, reject) => jobs.push(() => work().then(resolve, reject)))
}
`

/** The source of the shop's `payments` as it is. */
export function paymentsSource(): Promise<string> {
  return readFile(path.join(ROOT, 'examples/shop/repositories/payments/server.mjs'), 'utf8')
}

/** `payments` with a mistake that people make: it calls back from a pool of its own, where the routing context of the request is lost. */
export async function pooledPayments(): Promise<string> {
  const source = await paymentsSource()
  const pooled = source
    .replace("await fetch('http://orders/callback'", "await fromPool(() => fetch('http://orders/callback'")
    .replace('signal: AbortSignal.timeout(3_000) })', 'signal: AbortSignal.timeout(3_000) }))')
  if (pooled.length !== source.length + 'fromPool(() => )'.length) throw new Error('payments no longer reads as it did')
  return pooled + POOL
}
