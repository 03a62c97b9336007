/**
 * The web page of a commit in a repository, by the path that GitHub, GitLab, Gitea and Bitbucket share; undefined when the repository is not
 * on the web. Only https and http: a URL from configuration must not become a script.
 */
export function commitLink(repositoryUrl: string, sha: string): string | undefined {
  const asHttps = repositoryUrl.replace(/^(?:ssh:\/\/)?git@([^:/]+)(?::\d+)?[:/]/, 'https://$1/')
  if (!URL.canParse(asHttps) || !/^[0-9a-f]{7,64}$/.test(sha)) return undefined
  const url = new URL(asHttps)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined
  const path = url.pathname.replace(/\/+$/, '').replace(/\.git$/, '')
  return `${url.origin}${path}/commit/${sha}`
}
