/**
 * Does what a developer does: clones, makes a branch from `main` (or goes on with it), edits files, commits and pushes.
 * `edit` gets the clone's folder. Answers the pushed commit's id and when `git push` was started (epoch milliseconds).
 */
export function pushBranch(options: {
  readonly repository: string
  readonly branch: string
  readonly message: string
  readonly edit: (clone: string) => Promise<void>
}): Promise<{ readonly commitSha: string; readonly pushedAt: number }>

/** Deletes a branch of a bare repository the way a developer does: with a push. */
export function deleteBranch(options: { readonly repository: string; readonly branch: string }): Promise<void>

/** The change that the demo pushes: another button on every order of the `orders` service. */
export function addButton(clone: string, button: string): Promise<void>
