import type { Environment } from '@tributary/contract'
import type { JSX } from 'preact'
import { getPlan, listLedger, listReceipts } from '../../api/env-manager.js'
import { linkTo } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { formatInstant, t } from '../../i18n/i18n.js'
import { ago } from '../../i18n/time.js'
import { Badge } from '../../ui/badge.js'
import { Commit } from '../../ui/commit.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { SafeLink } from '../../ui/safe-link.js'
import { causeOf } from '../runs/cause.js'
import { QuotedLog } from '../runs/quoted-log.js'
import { ServiceBadge } from './phase.js'

/** How an environment is, in full: services, conditions, what would be done, what was made, what is proven gone. */
export function EnvironmentOverview({ environment }: { readonly environment: Environment }): JSX.Element {
  return (
    <div class="cards">
      <Services environment={environment} />
      <Conditions environment={environment} />
      <Plan name={environment.name} />
      <Ledger name={environment.name} />
      <Receipts name={environment.name} />
    </div>
  )
}

function Services({ environment }: { readonly environment: Environment }): JSX.Element {
  const { services, masked, lastRunId } = environment
  return (
    <section class="card card-wide">
      <h2>{t('env.services')}</h2>
      {services.length === 0 ? <p class="muted">{t('env.noOwn')}</p> : null}
      <ul class="lines">
        {services.map(({ name, status, version, deployedCommit, wantedCommit, repository, url }) => (
          <li key={name}>
            <ServiceBadge status={status} />
            <strong class="wrap">{name}</strong>
            <span class="muted wrap">{version ?? ''}</span>
            {deployedCommit === null ? null : <Commit sha={deployedCommit} repository={repository} />}
            {deployedCommit === wantedCommit ? null : (
              <span class="muted small">{t('env.wanted', { commit: wantedCommit.slice(0, 8) })}</span>
            )}
            {url === null ? null : <SafeLink href={url}>{t('env.open')}</SafeLink>}
          </li>
        ))}
      </ul>
      {masked.length === 0 ? null : (
        <p>
          {t('env.masked')}: {masked.join(', ')}
        </p>
      )}
      <p class="muted small">
        {t('env.generation', { n: environment.generation })} · {t('env.created', { ago: ago(environment.createdAt) })}
        {lastRunId === null ? null : (
          <>
            {' · '}
            <a href={linkTo(['runs', lastRunId])}>{t('env.lastRun', { id: lastRunId })}</a>
          </>
        )}
      </p>
    </section>
  )
}

function Conditions({ environment: { conditions } }: { readonly environment: Environment }): JSX.Element {
  return (
    <section class="card card-wide">
      <h2>{t('env.conditions')}</h2>
      {conditions.length === 0 ? <p class="muted">{t('env.conditions.none')}</p> : null}
      <ul class="lines conditions">
        {conditions.map(({ type, status, reason, message, service, lastTransitionAt }) => (
          <li key={`${type} ${service ?? ''}`}>
            <Badge
              tone={status === 'True' ? 'good' : status === 'False' ? 'bad' : 'quiet'}
              icon={status === 'True' ? 'check' : status === 'False' ? 'cross' : 'circle'}
            >
              {type}
            </Badge>
            <span class="wrap">
              <ConditionText message={message === '' ? reason : message} service={service} />
              <small class="muted block" title={formatInstant(lastTransitionAt)}>
                {reason}, {ago(lastTransitionAt)}
              </small>
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** The sentence, and the log that it quotes as lines; it names the service, unless it does so itself. */
function ConditionText(props: { readonly message: string; readonly service: string | undefined }): JSX.Element {
  const { message, service = '' } = props
  const { headline, lines } = causeOf(message, [])
  return (
    <>
      {service === '' || headline.startsWith(`${service} `) || headline.startsWith(`${service}:`) ? '' : `${service}: `}
      {headline}
      {lines.length === 0 ? null : <QuotedLog lines={lines} />}
    </>
  )
}

function Plan({ name }: { readonly name: string }): JSX.Element {
  const { state } = useLoaded({
    key: `plan/${name}`,
    load: (signal) => getPlan(name, signal),
    topics: ['environment'],
    everyMs: 15_000,
  })
  return (
    <section class="card">
      <h2>{t('env.plan')}</h2>
      <LoadedView loaded={state.value}>
        {({ actions }) =>
          actions.length === 0 ? (
            <p class="muted">{t('env.plan.none')}</p>
          ) : (
            <ol class="lines">
              {actions.map(({ action, service, reason }) => (
                <li key={`${action} ${service ?? ''}`}>
                  <code>{action}</code>
                  <span class="wrap">
                    {service === undefined ? '' : `${service}: `}
                    {reason}
                  </span>
                </li>
              ))}
            </ol>
          )
        }
      </LoadedView>
    </section>
  )
}

function Ledger({ name }: { readonly name: string }): JSX.Element {
  const { state } = useLoaded({
    key: `ledger/${name}`,
    load: (signal) => listLedger(name, signal),
    topics: ['environment'],
    everyMs: 15_000,
  })
  return (
    <section class="card">
      <h2>{t('env.ledger')}</h2>
      <LoadedView loaded={state.value}>
        {(lines) =>
          lines.length === 0 ? (
            <p class="muted">{t('env.ledger.none')}</p>
          ) : (
            <ul class="lines lines-dense" tabIndex={0}>
              {lines.map(({ kind, id, recordedAt }) => (
                <li key={`${kind} ${id}`}>
                  <span class="chip">{kind}</span>
                  <code class="wrap">{id}</code>
                  <span class="muted small">{ago(recordedAt)}</span>
                </li>
              ))}
            </ul>
          )
        }
      </LoadedView>
    </section>
  )
}

function Receipts({ name }: { readonly name: string }): JSX.Element {
  const { state } = useLoaded({
    key: `receipts/${name}`,
    load: (signal) => listReceipts(name, signal),
    topics: ['environment'],
    everyMs: 30_000,
  })
  return (
    <section class="card">
      <h2>{t('env.receipts')}</h2>
      <LoadedView loaded={state.value}>
        {(receipts) =>
          receipts.length === 0 ? (
            <p class="muted">{t('env.receipts.none')}</p>
          ) : (
            <ul class="lines">
              {receipts.map(({ generation, reason, resources, finishedAt, runId }) => (
                <li key={runId}>
                  <a href={linkTo(['runs', runId])}>
                    {t('env.receipt.line', { generation, n: resources.length, reason })}
                  </a>
                  <span class="muted small">{ago(finishedAt)}</span>
                </li>
              ))}
            </ul>
          )
        }
      </LoadedView>
    </section>
  )
}
