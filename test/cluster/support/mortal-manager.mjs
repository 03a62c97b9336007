// The env-manager as main.js starts it, but for one thing: it ends, as by `kill -9`, right after it has written down something new of one environment. Argument: JSON
// {environment, passed}, the moments at which earlier processes ended. Prints `ended at: <moment>`.
import { writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { openStore } from '@tributary/store'

const DIST = new URL('../../../services/env-manager/dist/', import.meta.url)
const { readConfig } = await import(new URL('config.js', DIST).href)
const { manage } = await import(new URL('composition/manage.js', DIST).href)

const { environment, passed } = JSON.parse(process.argv[2] ?? '{}')

/** What a transaction writes down: a ledger line before its thing is made, the beginning of a step, the tombstone, the receipt. */
function momentsOf({ mutations }) {
  return mutations.flatMap((mutation) => {
    if (mutation.kind !== 'put') return []
    const [, collection, owner] = mutation.key.split('/')
    const value = JSON.parse(mutation.value)
    if (collection === 'ledger' && owner === environment) return [`ledger ${value.kind} ${value.id}`]
    if (collection === 'receipt' && owner === environment) return ['receipt']
    if (collection === 'environment' && owner === environment)
      return [value.tombstone === null ? 'record' : 'tombstone']
    if (collection !== 'run' || value.environment !== environment) return []
    return value.steps.filter(({ state }) => state === 'running').map(({ name }) => `${value.kind} ${name}`)
  })
}

function mortal(store) {
  // One after the other: what is written side by side would all be there when the first of it ends the process.
  let last = Promise.resolve()
  const transact = (request, options) => {
    last = last.then(
      () => write(request, options),
      () => write(request, options),
    )
    return last
  }
  const write = async (request, options) => {
    const result = await store.transact(request, options)
    const moment = result.succeeded ? momentsOf(request).find((one) => !passed.includes(one)) : undefined
    if (moment === undefined) return result
    writeSync(1, `ended at: ${moment}\n`)
    process.kill(process.pid, 'SIGKILL')
    return new Promise(() => undefined)
  }
  return new Proxy(store, {
    get: (target, property) => {
      if (property === 'transact') return transact
      const value = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

const config = readConfig()
await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 })
const store = await openStore(config.store, { path: path.join(config.dataDirectory, 'store.db'), prefix: '' })
await manage(config, { store: mortal(store), stopping: new AbortController().signal, host: process.env })
