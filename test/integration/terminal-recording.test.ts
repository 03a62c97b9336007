import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ensureBuilt } from '@tributary/testkit'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

it('docs/reference/terminal.md is what the commands show on a real platform; `node tools/record-terminal.mjs` writes it', async () => {
  await ensureBuilt('cli')
  const recording = promisify(execFile)(process.execPath, ['tools/record-terminal.mjs', '--check'], { cwd: root })
  await expect(recording).resolves.toBeDefined()
}, 240_000)
