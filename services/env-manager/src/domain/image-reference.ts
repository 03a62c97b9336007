/** An image by its parts, as charts want it. At most one of `tag` and `digest` counts: the digest. */
export interface ImageReference {
  readonly repository: string
  readonly tag: string
  readonly digest: string
}

/**
 * Takes an image reference apart: `registry:5000/path:tag@sha256:…`. A colon before a slash is a registry's port. Never fails: what is not a
 * reference is refused by the container runtime, which knows the rules.
 */
export function parseImageReference(text: string): ImageReference {
  const at = text.indexOf('@')
  const named = at < 0 ? text : text.slice(0, at)
  const colon = named.lastIndexOf(':')
  const hasTag = colon > named.lastIndexOf('/')
  return {
    repository: hasTag ? named.slice(0, colon) : named,
    tag: hasTag ? named.slice(colon + 1) : '',
    digest: at < 0 ? '' : text.slice(at + 1),
  }
}
