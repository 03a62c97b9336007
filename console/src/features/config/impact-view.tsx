import type { Tenant, TenantImpact, WriteImpact } from '@tributary/contract'
import type { JSX } from 'preact'
import { t, tn } from '../../i18n/i18n.js'
import { Badge } from '../../ui/badge.js'
import { ViolationNote } from './violation-note.js'

/** Who would see a write: every tenant whose resolved config changes, what changes there, and what would break. */
export function ImpactView(props: {
  readonly impact: WriteImpact | string | undefined
  readonly tenant: Tenant
  readonly tenants: readonly Tenant[]
}): JSX.Element {
  const { impact, tenant, tenants } = props
  if (impact === undefined) {
    return <p class="muted">{t('config.review.impactLoading', { tenant: tenant.name })}</p>
  }
  if (typeof impact === 'string') {
    const heirs = tenants.filter(({ name, chain }) => name !== tenant.name && chain.includes(tenant.name))
    const names = heirs.map(({ name }) => name).join(', ')
    return <p class="note tone-warn">{t('config.review.impactUnknown', { message: impact, n: heirs.length, names })}</p>
  }
  return <Told impact={impact} />
}

function Told({ impact }: { readonly impact: WriteImpact }): JSX.Element {
  const { totals, tenants, violations, shadowed } = impact
  const broken = new Set(violations.map((violation) => violation.tenant)).size
  return (
    <div class="stack">
      <p>{totals.tenants === 0 ? t('config.review.impactNone') : tn('config.review.impactCount', totals.tenants)}</p>
      <ViolationNote says={t('config.review.impactBroken', { n: broken })} violations={violations} />
      <ul class="lines lines-dense" tabIndex={0}>
        {tenants.map((one) => (
          <TenantLine key={one.tenant} impact={one} />
        ))}
      </ul>
      {shadowed.length === 0 ? null : (
        <ul class="lines small muted">
          {shadowed.map(({ tenant, name, path = '', shadowedBy }) => (
            <li key={`${tenant} ${name} ${path}`}>
              {tenant}/{name}
              {path}: {t('config.effect.shadowed')} {t('config.shadowedBy', { who: shadowedBy })}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function TenantLine({ impact: { tenant, documents, subscribers } }: { readonly impact: TenantImpact }): JSX.Element {
  return (
    <li>
      <strong>{tenant}</strong>
      {subscribers === null || subscribers === 0 ? null : (
        <Badge tone="busy">{t('platform.subscribers.count', { n: subscribers, lag: 0 }).split(/[,，]/)[0]}</Badge>
      )}
      <span class="wrap small">
        {documents.map(({ service, paths, pathCount }) => (
          <span key={service} class="block">
            {paths.map(({ path, before, after }) => (
              <code key={path} class="block">
                {service}
                {path}: {JSON.stringify(before)} → {JSON.stringify(after)}
              </code>
            ))}
            {pathCount > paths.length ? t('env.more', { n: pathCount - paths.length }) : null}
          </span>
        ))}
      </span>
    </li>
  )
}
