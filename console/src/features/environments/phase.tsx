import type { Environment, TopologyNode } from '@tributary/contract'
import type { JSX } from 'preact'
import { t, tWord } from '../../i18n/i18n.js'
import { Badge, type Tone } from '../../ui/badge.js'
import type { IconName } from '../../ui/icon.js'

type Look = readonly [Tone, IconName]

const PHASES: Readonly<Record<Environment['phase'], Look>> = {
  pending: ['quiet', 'clock'],
  deploying: ['busy', 'spinner'],
  ready: ['good', 'check'],
  degraded: ['warn', 'alert'],
  failed: ['bad', 'cross'],
  asleep: ['quiet', 'moon'],
  terminating: ['busy', 'spinner'],
}

const SERVICES: Readonly<Record<Environment['services'][number]['status'], Look>> = {
  pending: ['quiet', 'clock'],
  deploying: ['busy', 'spinner'],
  healthy: ['good', 'check'],
  unhealthy: ['warn', 'alert'],
  failed: ['bad', 'cross'],
  invalid: ['bad', 'alert'],
}

const HEALTH: Readonly<Record<TopologyNode['health'], Look>> = {
  healthy: ['good', 'check'],
  unhealthy: ['bad', 'cross'],
  starting: ['busy', 'spinner'],
  unknown: ['quiet', 'circle'],
}

/** How an environment is doing. The title says why, where it is not well. */
export function PhaseBadge({ environment }: { readonly environment: Environment }): JSX.Element {
  const [tone, icon] = PHASES[environment.phase] ?? (['quiet', 'circle'] as const)
  return (
    <Badge tone={tone} icon={icon} title={troubleOf(environment)}>
      {tWord(`phase.${environment.phase}`, environment.phase)}
    </Badge>
  )
}

/** How one own service is doing. */
export function ServiceBadge({ status }: { readonly status: Environment['services'][number]['status'] }): JSX.Element {
  const [tone, icon] = SERVICES[status] ?? (['quiet', 'circle'] as const)
  return (
    <Badge tone={tone} icon={icon}>
      {tWord(`service.${status}`, status)}
    </Badge>
  )
}

/** How a copy of a service is doing. */
export function HealthBadge({ health }: { readonly health: TopologyNode['health'] }): JSX.Element {
  const [tone, icon] = HEALTH[health] ?? (['quiet', 'circle'] as const)
  return (
    <Badge tone={tone} icon={icon}>
      {t(`health.${health}`)}
    </Badge>
  )
}

/** Why an environment is not well, from its conditions. */
export function troubleOf({ phase, conditions }: Environment): string | undefined {
  if (phase === 'ready') return undefined
  return conditions.find(({ status, type }) => status === 'False' && type !== 'Ready')?.message
}
