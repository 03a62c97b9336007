import type { ClusterAccessReport, ReviewedPermission } from '@tributary/env-manager'
import { failed, ok, skipped, warning, type Finding } from './finding.js'

/** Asks the API server for each permission; rejects when it cannot be asked. */
export type ReviewAccess = () => Promise<ClusterAccessReport>

const WHERE: Readonly<Record<ReviewedPermission['scope'], string>> = {
  cluster: 'in the whole cluster',
  environment: 'in environments',
  system: 'in the platform’s namespace',
}
/** Named one by one up to here. */
const MAX_NAMED = 6
/** The oldest that the tests run on. */
const OLDEST_MINOR = 20

/** Whether the API server answers, how old it is, and what the account may not do that the env-manager needs. */
export async function checkCluster(review: ReviewAccess): Promise<readonly Finding[]> {
  let report: ClusterAccessReport
  try {
    report = await review()
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    return [
      failed('cluster', found, 'check platform.kubernetes of the configuration, and that the API server is reachable'),
    ]
  }
  return [versionFinding(report), ...scopeFindings(report), ...meshFindings(report)]
}

function versionFinding({ server, version }: ClusterAccessReport): Finding {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? []
  const found = `${server} answers, Kubernetes ${version}`
  const isOld = Number(major) === 1 && Number(minor) < OLDEST_MINOR
  return isOld ? warning('cluster', found, `use Kubernetes 1.${OLDEST_MINOR} or newer`) : ok('cluster', found)
}

function scopeFindings({ permissions, environmentNamespace }: ClusterAccessReport): readonly Finding[] {
  return (['cluster', 'environment', 'system'] as const).flatMap((scope) => {
    const asked = permissions.filter((one) => one.scope === scope)
    const check = `permissions ${WHERE[scope]}`
    if (asked.length === 0 && scope === 'environment')
      return [
        skipped(check, 'there is no environment yet, and the role is given in each; look again when there is one'),
      ]
    return scopeFinding(
      asked,
      scope === 'environment' && environmentNamespace !== null ? `${check} (${environmentNamespace})` : check,
    )
  })
}

function meshFindings({ mesh }: ClusterAccessReport): readonly Finding[] {
  if (mesh === null) return []
  const { kind, needed, missing } = mesh
  if (missing.length === 0) return [ok('mesh', `${kind}: the cluster has ${needed.join(' and ')}`)]
  const found = `${kind}: the cluster has no ${missing.join(' and no ')}, so no header routes are made`
  return [failed('mesh', found, 'install the mesh’s custom resources, or set platform.kubernetes.mesh to none')]
}

function scopeFinding(asked: readonly ReviewedPermission[], check: string): readonly Finding[] {
  const missing = asked.filter(({ allowed }) => !allowed)
  const needed = missing.filter(({ onlyFor }) => onlyFor === null)
  const lost = missing.filter(({ onlyFor }) => onlyFor !== null)
  const advice = 'grant them; docs/reference/permissions.md has all, and charts/tributary makes such an account'
  const reasons = [...new Set(lost.map(({ onlyFor }) => onlyFor))].join('; ')
  if (missing.length === 0) return [ok(check, `all ${asked.length}`)]
  return [
    ...(needed.length === 0 ? [] : [failed(check, `missing: ${named(needed)}`, advice)]),
    ...(lost.length === 0 ? [] : [warning(check, `missing: ${named(lost)}`, `they are needed only for ${reasons}`)]),
  ]
}

function named(missing: readonly ReviewedPermission[]): string {
  const names = missing.map(({ verb, resource, group }) => `${verb} ${resource}${group === '' ? '' : `.${group}`}`)
  const more = names.length - MAX_NAMED
  return more > 0 ? `${names.slice(0, MAX_NAMED).join(', ')} and ${more} more` : names.join(', ')
}
