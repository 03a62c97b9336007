import { readFileSync } from 'node:fs'

/** The gateway's token, read for each call: one in a file is rotated. Empty without any. */
export function gatewayToken(env: Readonly<Record<string, string | undefined>>): string {
  const { TRIBUTARY_TOKEN: token, TRIBUTARY_TOKEN_FILE: file } = env
  return token ?? (file === undefined ? '' : readFileSync(file, 'utf8').trim())
}
