export { createHelmChartReleases, type HelmOptions } from './helm-chart-releases.js'
export type { ClusterAccess } from './helm-environment.js'
