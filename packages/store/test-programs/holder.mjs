// node holder.mjs FILE: opens the store, says "open" on stdout and keeps it until it is killed.
import { openEmbeddedStore } from '../dist/index.js'

const store = await openEmbeddedStore({ path: process.argv[2] })
await store.transact({ compares: [], mutations: [{ kind: 'put', key: 'held', value: 'yes' }] })
process.stdout.write('open\n')
process.stdin.resume()
