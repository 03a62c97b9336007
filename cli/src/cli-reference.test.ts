import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { renderCliReference } from './cli-reference.js'
import { CLI_VERSION } from './version.js'

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8')

it('docs/reference/cli.md says what the commands themselves say; `npm run generate` writes it', async () => {
  expect(await read('../../docs/reference/cli.md')).toBe(renderCliReference())
})

it('the version is that of package.json', async () => {
  expect(JSON.parse(await read('../package.json'))).toMatchObject({ version: CLI_VERSION })
})
