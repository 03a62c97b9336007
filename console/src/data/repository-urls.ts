import { signal } from '@preact/signals'
import { getStatus } from '../api/env-manager.js'

/** The address of each configured repository by its name; empty until it has been read. */
export const repositoryUrls = signal<ReadonlyMap<string, string>>(new Map())

const AGAIN_MS = 60_000
let readAt = Number.NEGATIVE_INFINITY

/** Reads the addresses, at most once a minute however many commits are shown. Without them commits are shown without links. */
export function wantRepositoryUrls(): void {
  if (Date.now() - readAt < AGAIN_MS) return
  readAt = Date.now()
  void read()
}

async function read(): Promise<void> {
  try {
    const { repositories } = await getStatus()
    repositoryUrls.value = new Map(repositories.map(({ name, url }) => [name, url]))
  } catch {
    // The banner tells that the API is down; links come with a later commit that is shown.
    readAt = Number.NEGATIVE_INFINITY
  }
}
