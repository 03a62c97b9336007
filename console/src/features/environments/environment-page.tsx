import type { Environment } from '@tributary/contract'
import type { JSX } from 'preact'
import { getEnvironment } from '../../api/env-manager.js'
import { linkTo } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { t, tWord } from '../../i18n/i18n.js'
import { ago } from '../../i18n/time.js'
import { Icon } from '../../ui/icon.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { SafeLink } from '../../ui/safe-link.js'
import { TabLinks } from '../../ui/tabs.js'
import { TopologyView } from '../topology/topology-view.js'
import { headlineOf } from '../runs/cause.js'
import { RunTable } from '../runs/run-table.js'
import { ownerKey } from './environment-filter.js'
import { EnvironmentMenu } from './environment-actions.js'
import { EnvironmentOverview } from './environment-overview.js'
import { TimeToLive } from './environment-row.js'
import { PhaseBadge, troubleOf } from './phase.js'

const TABS = ['topology', 'overview', 'runs'] as const

/** One environment: how it is, what can be done, and its topology, state and runs. */
export function EnvironmentPage({ name, tab }: { readonly name: string; readonly tab: string }): JSX.Element {
  const { state } = useLoaded({
    key: `environment/${name}`,
    load: (signal) => getEnvironment(name, signal),
    topics: ['environment', 'run'],
  })
  const current = TABS.find((one) => one === tab) ?? 'topology'
  return (
    <div class="page">
      <a class="back" href={linkTo(['environments'])}>
        <Icon name="back" size={16} /> {t('env.title')}
      </a>
      <LoadedView loaded={state.value}>
        {(environment) => (
          <>
            <Head environment={environment} />
            <TabLinks
              label={name}
              current={current}
              tabs={[
                ...TABS.map((id) => ({ id, text: t(`env.tab.${id}`), href: linkTo(['environments', name, id]) })),
                { id: 'config', text: t('env.tab.config'), href: linkTo(['config', name]) },
              ]}
            />
            {current === 'topology' ? <TopologyView name={name} /> : null}
            {current === 'overview' ? <EnvironmentOverview environment={environment} /> : null}
            {current === 'runs' ? <RunTable environment={name} /> : null}
          </>
        )}
      </LoadedView>
    </div>
  )
}

function Head({ environment }: { readonly environment: Environment }): JSX.Element {
  const { name, branch, base, url, stage, lastPushAt, owner } = environment
  const trouble = troubleOf(environment)
  return (
    <>
      <header class="page-head">
        <div class="head-text">
          <h1 class="wrap">{name}</h1>
          <p class="head-facts">
            <PhaseBadge environment={environment} />
            <span class="wrap">
              <Icon name="branch" size={14} /> {branch}
            </span>
            <span>{base === null ? t('env.root') : t('env.onBase', { base })}</span>
            <span>{tWord(`stage.${stage}`, stage)}</span>
            <span>{t('env.pushed', { ago: ago(lastPushAt) })}</span>
            {owner === null ? null : (
              <a href={linkTo(['environments'], { owner: ownerKey(owner) })} title={owner.email ?? undefined}>
                {t('env.owner.by', { name: owner.name })}
              </a>
            )}
            <TimeToLive environment={environment} />
          </p>
        </div>
        <div class="row">
          {url === null ? null : (
            <SafeLink href={url} label={t('env.openUrl', { name })}>
              {t('env.open')}
            </SafeLink>
          )}
          <EnvironmentMenu environment={environment} text={t('action.more')} />
        </div>
      </header>
      {trouble === undefined ? null : (
        <p class={`note ${environment.phase === 'failed' ? 'tone-bad' : 'tone-warn'} wrap`}>
          <Icon name="alert" size={16} /> {headlineOf(trouble)}{' '}
          {environment.lastRunId === null ? null : (
            <a href={linkTo(['runs', environment.lastRunId])}>{t('env.trouble.run')}</a>
          )}
        </p>
      )}
    </>
  )
}
