export { reviewClusterAccess } from './composition/review-cluster-access.js'
export { createGitSourceControl, describeVersionOfDirectory } from './adapters/git/index.js'
export {
  createLocalGateway,
  type GatewayCallbacks,
  type GatewayDirectory,
  type LocalGateway,
} from './adapters/gateway/index.js'
export { createHelmChartReleases, type ClusterAccess, type HelmOptions } from './adapters/helm/index.js'
export { createLocalPlatform, killInstance } from './adapters/local/index.js'
export { loadPlatformConfig, PLATFORM_CONFIG_FILE, type LoadedPlatformConfig } from './config.js'
export { chartValuesOf } from './domain/chart-values.js'
export {
  ENV_MANAGER_PERMISSIONS,
  MESH_PERMISSIONS,
  type ClusterAccessReport,
  type ClusterPermission,
  type PermissionScope,
  type ReviewedPermission,
} from './domain/cluster-permissions.js'
export { parseEnvironmentFile } from './domain/environment-definition.js'
export { formatPlan } from './domain/plan.js'
export { parsePlatformConfig, withDefaults, type PlatformConfig } from './domain/platform-config.js'
export { formatProblem, type Problem } from './domain/problem.js'
export { joinServiceFiles, parseServiceFile } from './domain/service-definition.js'
export { renderServiceSchema } from './domain/service-schema.js'
export { readGatewayConfig } from './gateway/config.js'
export { startGateway, type RunningGateway } from './gateway/start-gateway.js'
export { ENV_MANAGER_ERRORS, failure, type EnvManagerErrorCode } from './errors.js'
export { readContextKeys } from './operations/state/secret-vault.js'
export type * from './ports/caller-authentication.js'
export type * from './ports/chart-releases.js'
export type * from './ports/config-center.js'
export type * from './ports/environment-routes.js'
export type * from './ports/platform.js'
export type * from './ports/source-control.js'
export type * from './ports/status-reporter.js'
export { renderOpenApi } from './render-openapi.js'
export { startEnvManager, type EnvManager, type EnvManagerOptions } from './start.js'
