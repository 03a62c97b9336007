import { failure } from '../../errors.js'

/** What differs between the helm programs that are in use. */
export type HelmMajor = 3 | 4

/** The first 3.x that has all that is used here: `--labels`, `--dry-run=server`, `--hide-notes`, `--ignore-not-found`. */
const OLDEST_MINOR_OF_3 = 15

/**
 * Reads what `helm version --template={{.Version}}` prints. Versions after 4 are taken for a 4.
 * @throws AppError `HELM_NOT_INSTALLED` for one that is too old, or no version at all.
 */
export function helmMajorOf(printed: string): HelmMajor {
  const [, major, minor] = /^v?(\d+)\.(\d+)\.\d+/.exec(printed.trim()) ?? []
  if (Number(major) >= 4) return 4
  if (Number(major) === 3 && Number(minor) >= OLDEST_MINOR_OF_3) return 3
  throw failure(
    'HELM_NOT_INSTALLED',
    `could not use helm: it says that it is ${JSON.stringify(printed.trim().slice(0, 40))}; install helm 4, or 3.${OLDEST_MINOR_OF_3} or newer`,
  )
}
