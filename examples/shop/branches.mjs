import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { git } from './git.mjs'

/**
 * Does what a developer does: clones, makes a branch from `main` (or goes on with it), edits files, commits and pushes.
 * `edit` gets the clone's folder. Answers the pushed commit's id and when `git push` was started (epoch milliseconds).
 */
export async function pushBranch({ repository, branch, message, edit }) {
  const clone = await mkdtemp(join(tmpdir(), 'tributary-clone-'))
  try {
    await git(clone, 'clone', '--quiet', repository, '.')
    await git(clone, 'checkout', '--quiet', '-B', branch, await startOf(clone, branch))
    await edit(clone)
    await git(clone, 'add', '--all')
    await git(clone, 'commit', '--quiet', '--message', message)
    const pushedAt = Date.now()
    await git(clone, 'push', '--quiet', 'origin', branch)
    return { commitSha: await git(clone, 'rev-parse', 'HEAD'), pushedAt }
  } finally {
    await rm(clone, { recursive: true, force: true })
  }
}

/** Deletes a branch of a bare repository the way a developer does: with a push. */
export async function deleteBranch({ repository, branch }) {
  await git(repository, 'push', '--quiet', repository, '--delete', branch)
}

/** The change that the demo pushes: another button on every order of the `orders` service. */
export async function addButton(clone, button) {
  const file = join(clone, 'orders', 'buttons.mjs')
  const text = await readFile(file, 'utf8')
  const changed = text.replace(/(BUTTONS = \[.*)\]/, `$1, '${button}']`)
  if (changed === text) throw new Error(`${file} has no list of buttons`)
  await writeFile(file, changed)
}

async function startOf(clone, branch) {
  const known = await git(clone, 'branch', '--remotes', '--list', `origin/${branch}`)
  return known === '' ? 'origin/main' : `origin/${branch}`
}
