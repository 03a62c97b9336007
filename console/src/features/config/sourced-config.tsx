import type { ExplainLayer, Explanation, ResolvedView } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { explainConfig, getView } from '../../api/config-center.js'
import { useLoaded } from '../../data/use-loaded.js'
import { t } from '../../i18n/i18n.js'
import { ago } from '../../i18n/time.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { originOf } from './layers.js'
import { leavesOf, type Leaf } from './leaves.js'
import { writerOf } from './writer.js'

interface Props {
  readonly tenant: string
  readonly service: string
}

/** The whole document, as a path. */
const WHOLE: Leaf = { path: '', value: undefined }

/** What a service sees in a tenant, value by value; each opens to the stack of who set it and who shadows whom. */
export function SourcedConfig({ tenant, service }: Props): JSX.Element {
  const { state } = useLoaded({
    key: `view/${tenant}`,
    load: (signal) => getView(tenant, signal),
    topics: ['config'],
  })
  return (
    <LoadedView loaded={state.value}>{(view) => <Values tenant={tenant} service={service} view={view} />}</LoadedView>
  )
}

/** The document that a service sees. Where the view has none for it, the tenant-wide one is what it sees. */
function documentOf({ config }: ResolvedView, service: string): unknown {
  return config[service] ?? config['*'] ?? {}
}

function Values({ tenant, service, view }: Props & { readonly view: ResolvedView }): JSX.Element {
  const leaves = leavesOf(documentOf(view, service))
  const whole = useExplanation({ tenant, service, leaf: WHOLE, revision: view.storeRevision })
  const layers = typeof whole === 'object' ? whole.layers : []
  if (leaves.length === 0) return <p class="muted">{t('config.effective.none')}</p>
  return (
    <ul class="values">
      {leaves.map((leaf) => (
        <Value
          key={leaf.path}
          {...{ tenant, service, leaf }}
          revision={view.storeRevision}
          origin={originOf(layers, leaf.path)}
        />
      ))}
    </ul>
  )
}

function Value(props: Parameters<typeof Stack>[0] & { readonly origin: ExplainLayer | undefined }): JSX.Element {
  const { leaf, origin, tenant } = props
  const [open, setOpen] = useState(false)
  return (
    <li class="value">
      <button type="button" class="value-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <code class="value-path wrap">{leaf.path.slice(1)}</code>
        <code class="value-text wrap">{JSON.stringify(leaf.value)}</code>
        <span class={origin?.tenant === tenant ? 'chip chip-own' : 'chip'}>
          {origin === undefined ? '…' : `${origin.tenant}/${origin.source}`}
        </span>
      </button>
      {open ? <Stack {...props} /> : null}
    </li>
  )
}

/** The stack of who sets a value, the nearest first. */
function Stack(props: Props & { readonly leaf: Leaf; readonly revision: string }): JSX.Element {
  const told = useExplanation(props)
  if (told === undefined) return <p class="muted small">{t('load.loading')}</p>
  if (typeof told === 'string') return <p class="note tone-bad">{told}</p>
  return (
    <div class="value-stack">
      <p class="small">{told.summary}</p>
      <ol class="layers" aria-label={t('config.effective.stack', { path: props.leaf.path })}>
        {told.layers.map((layer) => (
          <li key={`${layer.tenant}/${layer.source}`} class={`layer layer-${layer.effect}`}>
            <span class="layer-head">
              <strong>
                {layer.tenant}/{layer.source}
              </strong>
              <span class="layer-effect">
                {t(`config.effect.${layer.effect}`)}
                {layer.shadowedBy === undefined ? '' : ` ${t('config.shadowedBy', { who: layer.shadowedBy })}`}
              </span>
            </span>
            <code class="wrap">{JSON.stringify(layer.value)}</code>
            <span class="muted small">
              {t('config.edit.revision', { revision: layer.revision })}
              {layer.actor === undefined ? '' : `, ${writerOf({ ...layer, actor: layer.actor })}`}
              {layer.at === undefined ? '' : `, ${ago(layer.at)}`}
            </span>
          </li>
        ))}
      </ol>
    </div>
  )
}

/** Asks once per value and revision; a message when it fails. */
function useExplanation({
  tenant,
  service,
  leaf: { path },
  revision,
}: Parameters<typeof Stack>[0]): Explanation | string | undefined {
  const [told, setTold] = useState<Explanation | string>()
  useEffect(() => {
    const ending = new AbortController()
    explainConfig(tenant, { service, path }, ending.signal).then(setTold, (error: unknown) => {
      if (!ending.signal.aborted) setTold(error instanceof Error ? error.message : String(error))
    })
    return () => ending.abort()
  }, [tenant, service, path, revision])
  return told
}
