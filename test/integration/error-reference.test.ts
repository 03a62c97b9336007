import { readFile } from 'node:fs/promises'
import { CLI_ERRORS } from '@tributary/cli'
import { CONFIG_CENTER_ERRORS } from '@tributary/config-center'
import { ENV_MANAGER_ERRORS } from '@tributary/env-manager'
import { renderErrorReference } from '@tributary/kit'
import { SDK_ERRORS } from '@tributary/sdk'
import { STORE_ERRORS } from '@tributary/store'
import { expect, it } from 'vitest'

it('docs/reference/errors.md lists the catalogues as they are; `npm run generate` writes it', async () => {
  const written = await readFile(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8')
  expect(written).toBe(
    renderErrorReference([
      ['Config center', CONFIG_CENTER_ERRORS],
      ['Env-manager', ENV_MANAGER_ERRORS],
      ['Store', STORE_ERRORS],
      ['SDK', SDK_ERRORS],
      ['CLI', CLI_ERRORS],
    ]),
  )
})
