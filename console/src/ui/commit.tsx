import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { repositoryUrls, wantRepositoryUrls } from '../data/repository-urls.js'
import { commitLink } from './commit-link.js'

/** A commit, short, with a link to it when its repository is on the web. */
export function Commit({ sha, repository }: { readonly sha: string; readonly repository?: string }): JSX.Element {
  useEffect(wantRepositoryUrls, [])
  const url = repository === undefined ? undefined : repositoryUrls.value.get(repository)
  const link = url === undefined ? undefined : commitLink(url, sha)
  const short = <code title={sha}>{sha.slice(0, 8)}</code>
  if (link === undefined) return short
  return (
    <a href={link} target="_blank" rel="noreferrer noopener">
      {short}
    </a>
  )
}
