import type { Environment } from '@tributary/contract'
import type { JSX } from 'preact'
import { linkTo } from '../../data/router.js'
import { formatInstant, t, tWord } from '../../i18n/i18n.js'
import { ago, until } from '../../i18n/time.js'
import { Badge } from '../../ui/badge.js'
import { Commit } from '../../ui/commit.js'
import { Icon } from '../../ui/icon.js'
import { SafeLink } from '../../ui/safe-link.js'
import { headlineOf } from '../runs/cause.js'
import { EnvironmentMenu } from './environment-actions.js'
import { PhaseBadge, troubleOf } from './phase.js'

const SHOWN_SERVICES = 3
/** Letters that there is room for, with what stands around a name; a long name takes at most the half. */
const ROOM = 25
const AROUND = 3

/** One environment in the list. */
export function EnvironmentRow({ environment }: { readonly environment: Environment }): JSX.Element {
  const { name, branch, base, url } = environment
  const trouble = troubleOf(environment)
  return (
    <div class="env-row" role="presentation">
      <span role="cell" class="env-cell env-state">
        <PhaseBadge environment={environment} />
      </span>
      <span role="cell" class="env-cell env-name">
        <a class="strong cut" href={linkTo(['environments', name])} title={name}>
          {name}
        </a>
        <span class="muted small cut" title={trouble ?? branch}>
          {trouble === undefined
            ? `${branch} · ${base === null ? t('env.root') : t('env.onBase', { base })}`
            : headlineOf(trouble)}
        </span>
      </span>
      <span role="cell" class="env-cell env-services">
        <OwnServices environment={environment} />
      </span>
      <span role="cell" class="env-cell env-source">
        <Source environment={environment} />
      </span>
      <span role="cell" class="env-cell env-push">
        <span title={formatInstant(environment.lastPushAt)}>{ago(environment.lastPushAt)}</span>
        <OwnerName owner={environment.owner} />
      </span>
      <span role="cell" class="env-cell env-ttl">
        <TimeToLive environment={environment} />
        <span class="muted small">{tWord(`stage.${environment.stage}`, environment.stage)}</span>
      </span>
      <span role="cell" class="env-cell env-actions">
        {url === null ? null : (
          <SafeLink href={url} label={t('env.openUrl', { name })}>
            {t('env.open')}
          </SafeLink>
        )}
        <EnvironmentMenu environment={environment} />
      </span>
    </div>
  )
}

function OwnerName({ owner }: { readonly owner: Environment['owner'] }): JSX.Element | null {
  if (owner === null) return null
  return (
    <span class="muted small cut" title={owner.email ?? owner.name}>
      {t('env.owner.by', { name: owner.name })}
    </span>
  )
}

/** The services that an environment deploys itself: the first few by name, the others counted. */
function OwnServices({ environment: { services } }: { readonly environment: Environment }): JSX.Element {
  if (services.length === 0) return <span class="muted small">{t('env.noOwn')}</span>
  const shown = services.slice(0, fitting(services.map(({ name }) => name)))
  const more = services.length - shown.length
  return (
    <span class="chips" title={services.map((service) => service.name).join(', ')}>
      {shown.map(({ name, status }) => (
        <span key={name} class={`chip chip-${status}`}>
          {status === 'healthy' ? null : <Icon name={status === 'deploying' ? 'spinner' : 'alert'} size={13} />}
          <span class="cut">{name}</span>
          {status === 'healthy' ? null : <span class="unseen">{tWord(`service.${status}`, status)}</span>}
        </span>
      ))}
      {more > 0 ? <span class="chip chip-more">{t('env.more', { n: more })}</span> : null}
    </span>
  )
}

/** How many of these names can be read beside each other: one in any case. */
function fitting(names: readonly string[]): number {
  let [room, count] = [ROOM, 0]
  for (const name of names.slice(0, SHOWN_SERVICES)) {
    room -= Math.min(name.length + AROUND, ROOM / 2)
    if (room < 0) break
    count += 1
  }
  return Math.max(1, count)
}

function Source({ environment: { repositories } }: { readonly environment: Environment }): JSX.Element {
  const [first, ...others] = repositories
  if (first === undefined) return <span class="muted">–</span>
  return (
    <>
      <span class="cut" title={repositories.map(({ repository }) => repository).join(', ')}>
        {first.repository}
        {others.length > 0 ? ` ${t('env.more', { n: others.length })}` : ''}
      </span>
      <span class="muted small">
        <Commit sha={first.commitSha} repository={first.repository} />
      </span>
    </>
  )
}

/** How long the environment lives if nobody does anything. */
export function TimeToLive({ environment }: { readonly environment: Environment }): JSX.Element {
  const { pinned, expiresAt } = environment
  if (pinned) {
    return (
      <Badge tone="accent" icon="pin">
        {t('env.pinned')}
      </Badge>
    )
  }
  if (expiresAt === null) return <span class="muted">{t('env.noTtl')}</span>
  return <span title={formatInstant(expiresAt)}>{t('env.expires', { in: until(expiresAt) })}</span>
}
