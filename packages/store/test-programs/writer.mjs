// node writer.mjs FILE WRITERS: each writer commits transactions over three keys, one after the other, for ever, and reports
// each on stdout as "WRITER NUMBER" when it has been acknowledged. Made to be killed.
import { writeSync } from 'node:fs'
import { openEmbeddedStore } from '../dist/index.js'

const [path, writers] = process.argv.slice(2)
const store = await openEmbeddedStore({ path })

async function write(writer) {
  const { entries } = await store.range({ select: { prefix: `w${writer}/` } })
  for (let number = Number(entries[0]?.value ?? 0) + 1; ; number++) {
    await store.transact({
      compares: [],
      mutations: [0, 1, 2].map((part) => ({ kind: 'put', key: `w${writer}/${part}`, value: String(number) })),
    })
    writeSync(1, `${writer} ${number}\n`)
  }
}

await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(writer)))
