import type { GrayRelease, GrayReleaseSpec, Tenant } from '@tributary/contract'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import {
  abortGrayRelease,
  applyGrayRelease,
  findGrayRelease,
  listSubscriptions,
  promoteGrayRelease,
} from '../../api/config-center.js'
import { denial } from '../../api/session.js'
import { tellTopic } from '../../data/events.js'
import { useLoaded } from '../../data/use-loaded.js'
import { t } from '../../i18n/i18n.js'
import { ago } from '../../i18n/time.js'
import { Button } from '../../ui/button.js'
import { Check, Select } from '../../ui/field.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { attempt } from '../../ui/toast.js'
import { ConfigDifferences } from './config-differences.js'
import { differingValues } from './document-difference.js'
import { parseDraft } from './draft.js'
import { GrayImpactView, useGrayImpact, type TriedGray } from './gray-impact.js'
import { JsonEditor } from './json-editor.js'
import { subjectOf } from './subject.js'
import { writerOf } from './writer.js'

interface Props {
  readonly tenant: Tenant
  readonly service: string
}

const PERCENTS = [1, 5, 10, 25, 50] as const
const CHOSEN = 'chosen'
const GRAY = Symbol('gray')

/** A change that some instances of the service get first: to be started, given to all, or taken back. */
export function GrayReleaseTab({ tenant, service }: Props): JSX.Element {
  const { state } = useLoaded({
    key: `gray/${tenant.name}/${service}`,
    load: async (signal) => ({ release: await findGrayRelease(tenant.name, service, signal) }),
    topics: ['config'],
  })
  return (
    <LoadedView loaded={state.value}>
      {({ release }) =>
        release === undefined ? (
          <Start tenant={tenant} service={service} />
        ) : (
          <UnderWay tenant={tenant} release={release} />
        )
      }
    </LoadedView>
  )
}

function UnderWay({ tenant, release }: { readonly tenant: Tenant; readonly release: GrayRelease }): JSX.Element {
  const { service, patch, percent, instances, at } = release
  const refused = denial('change-config', subjectOf(tenant))
  const act = async (action: string, run: () => Promise<unknown>): Promise<void> => {
    await attempt(action, run)
    tellTopic('config')
  }
  return (
    <div class="stack">
      <h3>{t('config.gray.active')}</h3>
      <p>
        {percent === undefined ? t('config.gray.instances') : t('config.gray.percent')}:{' '}
        <strong class="wrap">{percent === undefined ? (instances ?? []).join(', ') : `${percent} %`}</strong>
      </p>
      <p class="muted small">{t('config.history.by', { actor: writerOf(release), ago: ago(at) })}</p>
      <ConfigDifferences
        differences={differingValues({}, patch)}
        before={t('config.history.before')}
        after={t('config.history.after')}
      />
      <div class="row">
        <Button
          kind="primary"
          unavailable={refused}
          onClick={() => void act(t('config.gray.promote'), () => promoteGrayRelease(tenant.name, service))}
        >
          {t('config.gray.promote')}
        </Button>
        <Button
          kind="danger"
          unavailable={refused}
          onClick={() => void act(t('config.gray.abort'), () => abortGrayRelease(tenant.name, service))}
        >
          {t('config.gray.abort')}
        </Button>
      </div>
    </div>
  )
}

function Start({ tenant, service }: Props): JSX.Element {
  const [text, setText] = useState('{\n  \n}')
  const [whom, setWhom] = useState('10')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const parsed = parseDraft(text)
  const refused = denial('change-config', subjectOf(tenant))
  const problem = 'problem' in parsed ? parsed.problem : undefined
  const empty = 'data' in parsed && Object.keys(parsed.data).length === 0 ? t('config.review.nothing') : undefined
  const nobody = whom === CHOSEN && chosen.size === 0 ? t('config.gray.nobody') : undefined
  const why = problem ?? empty ?? nobody
  const spec = 'data' in parsed && why === undefined ? specOf(parsed.data, whom, chosen) : undefined
  const tried = useGrayImpact(tenant.name, service, spec)
  const start = async (): Promise<void> => {
    if (spec === undefined) return
    // It reaches those that the person has just been shown.
    const draw = typeof tried === 'object' && whom !== CHOSEN ? { draw: tried.draw } : {}
    await attempt(t('config.gray.start'), () => applyGrayRelease(tenant.name, service, { ...spec, ...draw }))
    tellTopic('config')
  }
  return (
    <div class="stack">
      <p class="muted small">{t('config.gray.text')}</p>
      <JsonEditor
        text={text}
        origin={GRAY}
        label={t('config.gray.patch')}
        readOnly={refused !== undefined}
        schema={undefined}
        inherited={undefined}
        problems={[]}
        onChange={setText}
        onSave={() => undefined}
      />
      <Select
        label={t('config.gray.percent')}
        value={whom}
        choices={[
          ...PERCENTS.map((percent) => ({ value: String(percent), text: `${percent} %` })),
          { value: CHOSEN, text: t('config.gray.choose') },
        ]}
        onChange={setWhom}
      />
      {whom === CHOSEN ? <Instances {...{ tenant, service, chosen }} onChange={setChosen} /> : null}
      {spec === undefined ? null : <GrayImpactView tried={tried} />}
      <div class="row">
        <Button kind="primary" unavailable={refused ?? why ?? breaksOf(tried)} onClick={() => void start()}>
          {t('config.gray.start')}
        </Button>
      </div>
    </div>
  )
}

function specOf(patch: Readonly<Record<string, unknown>>, whom: string, chosen: ReadonlySet<string>): GrayReleaseSpec {
  return { patch: { ...patch }, ...(whom === CHOSEN ? { instances: [...chosen] } : { percent: Number(whom) }) }
}

/** Why the server would refuse it, where it has said so. */
function breaksOf(tried: TriedGray): string | undefined {
  return typeof tried === 'object' && tried.refused ? t('config.gray.breaks') : undefined
}

/** The instances that follow this service in this tenant now. */
function Instances(
  props: Props & {
    readonly chosen: ReadonlySet<string>
    readonly onChange: (chosen: ReadonlySet<string>) => void
  },
): JSX.Element {
  const { tenant, service, chosen, onChange } = props
  const { state } = useLoaded({ key: 'subscriptions', load: listSubscriptions, topics: ['config'] })
  const toggle = (instance: string, on: boolean): void =>
    onChange(new Set(on ? [...chosen, instance] : [...chosen].filter((one) => one !== instance)))
  return (
    <fieldset class="clash">
      <legend>{t('config.gray.instances')}</legend>
      <LoadedView loaded={state.value}>
        {(subscriptions) => {
          const instances = subscriptions
            .filter((one) => one.tenant === tenant.name && one.service === service)
            .map(({ instance }) => instance)
          if (instances.length === 0) return <p class="muted">{t('platform.subscribers.none')}</p>
          return instances
            .sort()
            .map((instance) => (
              <Check
                key={instance}
                label={instance}
                checked={chosen.has(instance)}
                onChange={(on) => toggle(instance, on)}
              />
            ))
        }}
      </LoadedView>
    </fieldset>
  )
}
