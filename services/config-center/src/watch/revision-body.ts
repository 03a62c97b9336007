import type { StoreRevision } from '@tributary/store'

/**
 * A JSON body of which only the store revision moves: the rest is serialised once, and the revision is spliced in. While the
 * revision stands still every caller gets the same buffer, which nobody may change.
 */
export class RevisionBody {
  readonly #head: Buffer
  readonly #tail: Buffer
  #revision: StoreRevision = -1n
  #bytes: Buffer = Buffer.alloc(0)

  /** `head` ends where the decimal text of the revision begins, `tail` starts where it ends. */
  constructor(head: string, tail: string) {
    this.#head = Buffer.from(head)
    this.#tail = Buffer.from(tail)
  }

  at(revision: StoreRevision): Buffer {
    if (this.#revision !== revision) {
      this.#bytes = Buffer.concat([this.#head, Buffer.from(revision.toString()), this.#tail])
      this.#revision = revision
    }
    return this.#bytes
  }
}
