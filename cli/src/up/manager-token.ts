import type { ConfigCenterClient } from '@tributary/client'
import { createConfigCenterClient } from '@tributary/client'
import { isAppError } from '@tributary/kit'
import { readFile, rename, writeFile } from 'node:fs/promises'

/** The deployer token of this machine's env-manager: the one in `file` while the config center knows it, else a new one. */
export async function ensureManagerToken(admin: ConfigCenterClient, url: string, file: string): Promise<string> {
  const known = (await readFile(file, 'utf8').catch(() => '')).trim()
  if (known !== '' && (await isValid(url, known))) return known
  const { token } = await admin.createToken({ name: 'env-manager', role: 'deployer' })
  const temporary = `${file}.new`
  await writeFile(temporary, `${token}\n`, { mode: 0o600 })
  await rename(temporary, file)
  return token
}

async function isValid(url: string, token: string): Promise<boolean> {
  try {
    return (await createConfigCenterClient({ baseUrl: url, token }).tokenSelf()).role === 'deployer'
  } catch (error) {
    if (isAppError(error) && error.kind === 'unauthenticated') return false
    throw error
  }
}
