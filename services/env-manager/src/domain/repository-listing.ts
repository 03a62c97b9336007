/** What is known of a repository's branches in a pass. `unknown` never reads as "no branches". */
export type RepositoryListing =
  | { readonly state: 'listed'; readonly branches: ReadonlyMap<string, string> }
  | { readonly state: 'unknown'; readonly reason: string }

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/

/**
 * Judges an answer of a git server. Without its integration branch, without any branch where there were some, or with
 * something that is no commit, the answer is not believed: nothing is created, changed or deleted because of it.
 */
export function judgeListing(
  branches: ReadonlyMap<string, string>,
  expected: { readonly repository: string; readonly integrationBranch: string; readonly hadBranches: boolean },
): RepositoryListing {
  const { repository, integrationBranch, hadBranches } = expected
  if (branches.size === 0 && hadBranches) {
    return unknown(
      `${repository} lists no branches any more, but it had some; nothing is deleted because of this answer`,
    )
  }
  if (!branches.has(integrationBranch)) {
    return unknown(
      `${repository} lists no branch "${integrationBranch}", which integration is built from; push it or correct integrationBranch`,
    )
  }
  const strange = [...branches].find(([, commitSha]) => !COMMIT.test(commitSha))
  if (strange !== undefined) return unknown(`${repository} lists branch "${strange[0]}" at something that is no commit`)
  return { state: 'listed', branches }
}

function unknown(reason: string): RepositoryListing {
  return { state: 'unknown', reason }
}
