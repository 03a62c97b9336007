import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '@tributary/store'
import { assembleConfigCenter } from './start.js'

/** The OpenAPI description of the whole API as text, the same on every machine: what the repository keeps. */
export async function renderOpenApi(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-openapi-'))
  const store = await openEmbeddedStore({ path: join(folder, 'store.db') })
  try {
    const center = await assembleConfigCenter({ store })
    await center.app.ready()
    const description = center.app.swagger()
    await center.close()
    return `${JSON.stringify(description, null, 2)}\n`
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}
