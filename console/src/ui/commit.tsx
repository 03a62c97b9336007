import type { JSX } from 'preact'
import { useLoaded } from '../data/use-loaded.js'
import { getStatus } from '../api/env-manager.js'
import { commitLink } from './commit-link.js'

/** A commit, short, with a link to it when its repository is on the web. */
export function Commit({ sha, repository }: { readonly sha: string; readonly repository?: string }): JSX.Element {
  const { state } = useLoaded({ key: 'status', load: getStatus, everyMs: 60_000 })
  const url = state.value.data?.repositories.find(({ name }) => name === repository)?.url
  const link = url === undefined ? undefined : commitLink(url, sha)
  const short = <code title={sha}>{sha.slice(0, 8)}</code>
  if (link === undefined) return short
  return (
    <a href={link} target="_blank" rel="noreferrer noopener">
      {short}
    </a>
  )
}
