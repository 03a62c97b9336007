import { isAbsolute } from 'node:path'
import { failure } from '../../errors.js'
import type { ChartRelease, ReleaseName } from '../../ports/chart-releases.js'

const RELEASE_NAME = /^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const LABEL_NAME = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/
const VERSION = /^[0-9A-Za-z][-0-9A-Za-z.+]{0,127}$/
const REGISTRY_CHART = /^oci:\/\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+$/
/** Helm keeps these for itself. */
const RESERVED_LABELS = ['name', 'owner', 'status', 'version', 'createdAt', 'modifiedAt']
const MAX_DESCRIPTION_CHARS = 512

/**
 * Makes sure that nothing but what is meant gets into an argument vector.
 * @throws AppError `CHART_INVALID` naming the field.
 */
export function checkReleaseName({ kubeNamespace, name }: ReleaseName): void {
  check(RELEASE_NAME.test(name), `release name ${shown(name)} is not a DNS-1123 label of at most 53 characters`)
  check(NAMESPACE.test(kubeNamespace), `namespace ${shown(kubeNamespace)} is not a DNS-1123 label`)
}

/** As {@link checkReleaseName}, for everything of a release. */
export function checkRelease(release: ChartRelease): void {
  checkReleaseName(release)
  for (const [name, value] of Object.entries(release.labels)) {
    const isLabel = LABEL_NAME.test(name) && LABEL_VALUE.test(value) && !RESERVED_LABELS.includes(name)
    check(isLabel, `label ${shown(`${name}=${value}`)} cannot be one of a release`)
  }
  const isLine = !/\p{Cc}/u.test(release.description) && release.description.length <= MAX_DESCRIPTION_CHARS
  check(
    isLine,
    `description ${shown(release.description)} is not one line of at most ${MAX_DESCRIPTION_CHARS} characters`,
  )
  checkChart(release)
}

function checkChart({ chart, version }: ChartRelease): void {
  if (!chart.startsWith('oci://')) {
    check(isAbsolute(chart), `chart ${shown(chart)} is neither oci://registry/path nor an absolute path`)
    check(version === undefined, `chart ${shown(chart)} is a folder, which has no other version than its own`)
    return
  }
  check(REGISTRY_CHART.test(chart), `chart ${shown(chart)} is not of the form oci://registry/path`)
  check(version !== undefined, `chart ${shown(chart)} has no version: write oci://registry/path:1.2.3`)
  check(VERSION.test(version ?? ''), `version ${shown(version ?? '')} is not one of a chart`)
}

function check(holds: boolean, why: string): void {
  if (!holds) throw failure('CHART_INVALID', `could not use a chart: ${why}`)
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
