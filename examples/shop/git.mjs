import { execFile } from 'node:child_process'
import { devNull } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

const TIMEOUT_MS = 30_000

/** Nobody's own git configuration decides what the example does, and nothing ever asks for a password. */
const ENVIRONMENT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: devNull,
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Shop Developer',
  GIT_AUTHOR_EMAIL: 'developer@shop.example',
  GIT_COMMITTER_NAME: 'Shop Developer',
  GIT_COMMITTER_EMAIL: 'developer@shop.example',
}

/** Runs git in a folder and answers what it printed, without the last line end. */
export async function git(folder, ...args) {
  const { PATH, HOME } = process.env
  const { stdout } = await run('git', args, { cwd: folder, timeout: TIMEOUT_MS, env: { PATH, HOME, ...ENVIRONMENT } })
  return stdout.trimEnd()
}
