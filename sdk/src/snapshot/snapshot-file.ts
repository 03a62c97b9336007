import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readFile, readdir, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReplicaImage } from '../stream/replica.js'
import { isText, listOf, nullOr, objectOf } from '../wire/guard.js'
import { isStoreRevision, isViewHash } from '../wire/wire-guards.js'

/** Whose snapshot it is. One server's tenants, and two servers' tenants of the same name, never share a file. */
export interface SnapshotOwner {
  readonly serverUrl: string
  readonly tenant: string
  /** Null: a client without a service of its own. */
  readonly service: string | null
}

/** What a read found: an image, nothing yet, or something that must not be used. */
export type SnapshotRead =
  | { readonly kind: 'found'; readonly image: ReplicaImage }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unusable'; readonly reason: string }

const FORMAT = 'tributary-snapshot/1'
const ONLY_OWNER = 0o600
const ONLY_OWNER_FOLDER = 0o700
/** A temporary file this old was left by a process that died while it wrote. */
const ABANDONED_AFTER_MS = 3_600_000

interface ChannelBody {
  storeRevision: string
  hash: string
  items: [string, unknown][]
}

const isChannelBody = objectOf<ChannelBody>({
  storeRevision: isStoreRevision,
  hash: isViewHash,
  items: listOf((item): item is [string, unknown] => Array.isArray(item) && item.length === 2 && isText(item[0])),
})
const isSnapshotBody = objectOf<SnapshotOwner & { image: { view: ChannelBody; routes?: ChannelBody } }>({
  serverUrl: isText,
  tenant: isText,
  service: nullOr(isText),
  image: objectOf<{ view: ChannelBody; routes?: ChannelBody }>({ view: isChannelBody, routes: isChannelBody }, [
    'routes',
  ]),
})

/**
 * The last good state on disk. The file is `<SHA-256 of the owner>.snapshot`: a line with the format and the SHA-256 of the rest,
 * then JSON. It holds config values, so only its owner may read it. It is replaced whole (temporary file, fsync, rename), so a
 * reader finds the old one or the new one.
 */
export class SnapshotFile {
  readonly #folder: string
  readonly #owner: SnapshotOwner
  readonly #name: string

  constructor(folder: string, owner: SnapshotOwner) {
    this.#folder = folder
    this.#owner = owner
    const identity = JSON.stringify([owner.serverUrl, owner.tenant, owner.service])
    this.#name = createHash('sha256').update(identity).digest('hex').slice(0, 32)
  }

  /** Where it is. */
  get path(): string {
    return join(this.#folder, `${this.#name}.snapshot`)
  }

  /** Reads and checks it; never rejects and never gives a damaged or foreign state. */
  async read(): Promise<SnapshotRead> {
    let bytes: Buffer
    try {
      bytes = await readFile(this.path)
    } catch (error) {
      if (isMissing(error)) return { kind: 'absent' }
      return { kind: 'unusable', reason: error instanceof Error ? error.message : String(error) }
    }
    return this.#check(bytes)
  }

  /** Replaces it. Rejects when the disk does not take it; the former one is then still there. */
  async write(image: ReplicaImage): Promise<void> {
    const body = Buffer.from(JSON.stringify({ ...this.#owner, image }))
    const header = Buffer.from(`${FORMAT} ${checksum(body)}\n`)
    await mkdir(this.#folder, { recursive: true, mode: ONLY_OWNER_FOLDER })
    const temporary = join(this.#folder, `${this.#name}.${randomBytes(6).toString('hex')}.tmp`)
    try {
      await writeDurably(temporary, [header, body])
      await rename(temporary, this.path)
    } catch (error) {
      await unlink(temporary).catch(() => undefined)
      throw error
    }
    await syncFolder(this.#folder)
  }

  /** Removes temporary files of this owner that a killed process left. Best effort. */
  async removeAbandoned(now: number): Promise<void> {
    const names = await readdir(this.#folder).catch((): string[] => [])
    for (const name of names.filter((each) => each.startsWith(`${this.#name}.`) && each.endsWith('.tmp'))) {
      const path = join(this.#folder, name)
      const found = await stat(path).catch(() => undefined)
      if (found !== undefined && now - found.mtimeMs > ABANDONED_AFTER_MS) await unlink(path).catch(() => undefined)
    }
  }

  #check(bytes: Buffer): SnapshotRead {
    const end = bytes.indexOf('\n')
    const header = bytes.subarray(0, Math.max(end, 0)).toString('latin1')
    const body = bytes.subarray(end + 1)
    if (end === -1 || header !== `${FORMAT} ${checksum(body)}`) {
      return { kind: 'unusable', reason: 'its checksum or format is wrong: it is damaged or of another version' }
    }
    const parsed = parseOrUndefined(body)
    if (!isSnapshotBody(parsed)) return { kind: 'unusable', reason: 'it does not have the members that it must have' }
    const { serverUrl, tenant, service } = this.#owner
    if (parsed.serverUrl !== serverUrl || parsed.tenant !== tenant || parsed.service !== service) {
      return { kind: 'unusable', reason: 'it belongs to another server, tenant or service' }
    }
    const { view, routes } = parsed.image
    return { kind: 'found', image: routes === undefined ? { view } : { view, routes } }
  }
}

async function writeDurably(path: string, parts: readonly Buffer[]): Promise<void> {
  const file = await open(path, 'wx', ONLY_OWNER)
  try {
    for (const part of parts) await file.writeFile(part)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes the rename itself durable; file systems that cannot sync a folder keep it in their own way. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  if (folder === undefined) return
  try {
    await folder.sync()
  } catch {
    // The data is in place; only its survival of a power cut is the file system's matter now.
  } finally {
    await folder.close()
  }
}

function parseOrUndefined(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

function checksum(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
