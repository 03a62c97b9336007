import { readFileSync } from 'node:fs'

/** Version of this package, as its package.json says. */
export const CONFIG_CENTER_VERSION: string = readVersion()

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const named =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined
  return String(named)
}
