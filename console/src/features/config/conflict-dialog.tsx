import type { ConfigDocument } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { findDocument } from '../../api/config-center.js'
import { t, tn } from '../../i18n/i18n.js'
import { Button } from '../../ui/button.js'
import { Dialog } from '../../ui/dialog.js'
import { textOf, type Draft } from './draft.js'
import { mergeDocuments, withValue, type Clash } from './merge-documents.js'

interface Props {
  readonly tenant: string
  readonly service: string
  readonly draft: Draft
  /** What the person has written. */
  readonly mine: Readonly<Record<string, unknown>>
  readonly onClose: () => void
  /** Goes on with the merge, from the newer revision. */
  readonly onMerged: (draft: Draft) => void
}

type Side = 'mine' | 'theirs'

/** Two people changed one document: shows both sets of changes put together, and asks about what both changed. */
export function ConflictDialog(props: Props): JSX.Element {
  const { tenant, service } = props
  const [theirs, setTheirs] = useState<{ readonly document: ConfigDocument | undefined }>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    findDocument(tenant, service).then(
      (document) => setTheirs({ document }),
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    )
  }, [])
  if (theirs !== undefined) return <Merging {...props} theirs={theirs.document} />
  return (
    <Dialog wide title={t('config.conflict.title')} onClose={props.onClose}>
      {problem === undefined ? <p>{t('load.loading')}</p> : <p class="note tone-bad">{problem}</p>}
    </Dialog>
  )
}

function Merging(props: Props & { readonly theirs: ConfigDocument | undefined }): JSX.Element {
  const { draft, mine, theirs, onMerged } = props
  const [chosen, setChosen] = useState<Readonly<Record<string, Side>>>({})
  const { merged, clashes } = mergeDocuments({ base: draft.base ?? {}, mine, theirs: theirs?.data ?? {} })
  const open = clashes.filter(({ path }) => chosen[path] === undefined).length
  const result = clashes.reduce<unknown>(
    (document, clash) => withValue(document, clash.path, clash[chosen[clash.path] ?? 'mine']),
    merged,
  )
  const revision = theirs?.revision ?? '0'
  const take = (): void =>
    onMerged({ text: textOf(result), base: theirs?.data, baseRevision: revision, origin: Symbol('merge') })
  const actions = (
    <>
      <Button onClick={props.onClose}>{t('action.cancel')}</Button>
      <Button kind="primary" unavailable={open === 0 ? undefined : tn('config.conflict.clashes', open)} onClick={take}>
        {t('config.conflict.take')}
      </Button>
    </>
  )
  return (
    <Dialog wide title={t('config.conflict.title')} onClose={props.onClose} actions={actions}>
      <p>{t('config.conflict.text', { mine: draft.baseRevision, theirs: revision })}</p>
      <p role="status">
        <strong>
          {clashes.length === 0 ? t('config.conflict.clean') : tn('config.conflict.clashes', clashes.length)}
        </strong>
      </p>
      {clashes.map((clash) => (
        <ClashChoice
          key={clash.path}
          clash={clash}
          chosen={chosen[clash.path]}
          onChoose={(side) => setChosen({ ...chosen, [clash.path]: side })}
        />
      ))}
      <h3>{t('config.conflict.result')}</h3>
      <pre class="merge-result" tabIndex={0}>
        {textOf(result)}
      </pre>
    </Dialog>
  )
}

function ClashChoice(props: {
  readonly clash: Clash
  readonly chosen: Side | undefined
  readonly onChoose: (side: Side) => void
}): JSX.Element {
  const { clash, chosen } = props
  return (
    <fieldset class="clash">
      <legend>
        <code class="wrap">{clash.path}</code>
      </legend>
      <p class="muted small">
        {t('config.conflict.base')}: <Value value={clash.base} />
      </p>
      {(['mine', 'theirs'] as const).map((side) => (
        <label key={side} class="check">
          <input
            type="radio"
            name={`clash-${clash.path}`}
            checked={chosen === side}
            onChange={() => props.onChoose(side)}
          />
          <span>
            {t(`config.conflict.${side}`)}: <Value value={clash[side]} />
          </span>
        </label>
      ))}
    </fieldset>
  )
}

function Value({ value }: { readonly value: unknown }): JSX.Element {
  return value === undefined ? (
    <span>{t('config.conflict.absent')}</span>
  ) : (
    <code class="wrap">{JSON.stringify(value)}</code>
  )
}
