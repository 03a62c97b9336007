import type { ConfigDocument, SchemaViolation, Tenant } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { findDocument, findSchema, getView, tryWrite } from '../../api/config-center.js'
import { denial } from '../../api/session.js'
import { useLoaded } from '../../data/use-loaded.js'
import { t, tn } from '../../i18n/i18n.js'
import { Button } from '../../ui/button.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { ConflictDialog } from './conflict-dialog.js'
import { DeleteDocument } from './delete-document.js'
import { parseDraft, textOf, type Draft } from './draft.js'
import { JsonEditor } from './json-editor.js'
import { dropDraft, keepDraft, keptDraft } from './kept-drafts.js'
import type { Problem } from './json-editor-core.js'
import { same } from './merge-documents.js'
import { ReviewDialog } from './review-dialog.js'
import { subjectOf } from './subject.js'

interface Props {
  readonly tenant: Tenant
  readonly tenants: readonly Tenant[]
  readonly service: string
}

/** The tenant's own document, to be changed: nothing is stored before it has been reviewed, and nothing of others is overwritten. */
export function DocumentEditor(props: Props): JSX.Element {
  const { tenant, service } = props
  const { state, refresh } = useLoaded({
    key: `document/${tenant.name}/${service}`,
    load: async (signal) => ({ found: await findDocument(tenant.name, service, signal) }),
    topics: ['config'],
  })
  return (
    <LoadedView loaded={state.value}>
      {({ found }) => <Editing {...props} stored={found} refresh={refresh} />}
    </LoadedView>
  )
}

interface EditingProps extends Props {
  /** As it is stored now, which may be newer than what the draft began from. */
  readonly stored: ConfigDocument | undefined
  readonly refresh: () => void
}

function Editing(props: EditingProps): JSX.Element {
  const { tenant, service, stored, refresh } = props
  const { draft, setDraft, changed } = useDraft(`${tenant.name}/${service}`, stored)
  const [open, setOpen] = useState<'review' | 'conflict' | 'delete'>()
  const parsed = useMemo(() => parseDraft(draft.text), [draft.text])
  const violations = useViolations({ ...props, draft, changed })
  const refused = denial('change-config', subjectOf(tenant))
  const unable = refused ?? ('problem' in parsed ? parsed.problem : changed ? undefined : t('config.review.nothing'))
  const moved = (stored?.revision ?? '0') !== draft.baseRevision
  const review = (): void => {
    if (unable === undefined) setOpen(moved ? 'conflict' : 'review')
  }
  const saved = (): void => {
    setOpen(undefined)
    refresh()
  }
  return (
    <div class="stack">
      <p class="muted small">{t(stored === undefined ? 'config.edit.absent' : 'config.edit.help')}</p>
      {moved && changed ? <MovedNote stored={stored} onMerge={() => setOpen('conflict')} /> : null}
      <Editor
        {...{ tenant, service, draft, violations }}
        readOnly={refused !== undefined}
        onSave={review}
        onChange={(text) => setDraft({ ...draft, text })}
      />
      <Problems parsed={parsed} violations={violations} />
      <div class="row">
        <Button kind="primary" unavailable={unable} onClick={review}>
          {t('config.edit.review')}
        </Button>
        {changed ? <Button onClick={() => setDraft(draftOf(stored))}>{t('config.edit.discard')}</Button> : null}
        {stored === undefined ? null : (
          <Button kind="danger" unavailable={refused} onClick={() => setOpen('delete')}>
            {t('config.delete')}
          </Button>
        )}
        <span class="muted small" role="status">
          {changed
            ? t('config.edit.unsaved')
            : draft.baseRevision === '0'
              ? ''
              : t('config.edit.revision', { revision: draft.baseRevision })}
        </span>
      </div>
      <Dialogs
        {...props}
        {...{ open, draft, setDraft, setOpen, saved }}
        data={'data' in parsed ? parsed.data : undefined}
      />
    </div>
  )
}

/** What is asked before something is written. */
function Dialogs(
  props: EditingProps & {
    readonly open: 'review' | 'conflict' | 'delete' | undefined
    readonly data: Readonly<Record<string, unknown>> | undefined
    readonly draft: Draft
    readonly setDraft: (draft: Draft) => void
    readonly setOpen: (open: 'conflict' | undefined) => void
    readonly saved: () => void
  },
): JSX.Element | null {
  const { open, data, draft, setDraft, setOpen, saved, stored, refresh, tenant, service } = props
  const close = (): void => setOpen(undefined)
  if (open === 'delete' && stored !== undefined) {
    return <DeleteDocument document={stored} onClose={close} onDeleted={saved} />
  }
  if (data === undefined) return null
  if (open === 'review') {
    const conflict = (): void => {
      refresh()
      setOpen('conflict')
    }
    const done = (revision: string): void => {
      setDraft({ ...draft, base: data, baseRevision: revision })
      saved()
    }
    return <ReviewDialog {...props} data={data} onClose={close} onConflict={conflict} onSaved={done} />
  }
  if (open !== 'conflict') return null
  const merged = (next: Draft): void => {
    setDraft(next)
    saved()
  }
  return <ConflictDialog {...{ tenant: tenant.name, service, draft }} mine={data} onClose={close} onMerged={merged} />
}

/** A draft follows what is stored until the person changes something; from then on it stays, also while another page is shown. */
function useDraft(
  key: string,
  stored: ConfigDocument | undefined,
): {
  readonly draft: Draft
  readonly setDraft: (draft: Draft) => void
  readonly changed: boolean
} {
  const [draft, setDraft] = useState(() => keptDraft(key) ?? draftOf(stored))
  const parsed = parseDraft(draft.text)
  const changed = 'problem' in parsed || !same(parsed.data, draft.base ?? {})
  const revision = stored?.revision ?? '0'
  useEffect(() => {
    // A read that is older than what was saved here must not take the saved text back.
    if (!changed && BigInt(revision) !== BigInt(draft.baseRevision)) {
      if (BigInt(revision) > BigInt(draft.baseRevision) || stored === undefined) setDraft(draftOf(stored))
    }
  }, [revision])
  useEffect(() => {
    if (changed) keepDraft(key, draft)
    else dropDraft(key)
  }, [key, changed, draft])
  useEffect(() => {
    if (!changed) return undefined
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [changed])
  return { draft, setDraft, changed }
}

function draftOf(stored: ConfigDocument | undefined): Draft {
  return {
    text: textOf(stored?.data),
    base: stored?.data,
    baseRevision: stored?.revision ?? '0',
    origin: Symbol('stored'),
  }
}

function Editor(props: {
  readonly tenant: Tenant
  readonly service: string
  readonly draft: Draft
  readonly violations: readonly SchemaViolation[]
  readonly readOnly: boolean
  readonly onSave: () => void
  readonly onChange: (text: string) => void
}): JSX.Element {
  const { tenant, service, violations } = props
  const { state } = useLoaded({
    key: `schema/${tenant.name}/${service}`,
    load: async (signal) => {
      const [schema, view] = await Promise.all([
        service === '*' ? undefined : findSchema(tenant.name, service, signal),
        getView(tenant.name, signal),
      ])
      return { schema: schema?.schema, inherited: view.config[service] ?? view.config['*'] }
    },
    topics: ['config'],
    everyMs: 60_000,
  })
  const problems = useMemo<readonly Problem[]>(
    () => violations.map(({ path, rule }) => ({ path, message: rule })),
    [violations],
  )
  return (
    <JsonEditor
      text={props.draft.text}
      origin={props.draft.origin}
      label={t('config.edit.label')}
      readOnly={props.readOnly}
      schema={state.value.data?.schema}
      inherited={state.value.data?.inherited}
      problems={problems}
      onChange={props.onChange}
      onSave={props.onSave}
    />
  )
}

const TRY_AFTER_MS = 400

/** What the draft would break by its schema, as the server sees it; asked when the person pauses. */
function useViolations({
  tenant,
  service,
  draft,
  changed,
}: EditingProps & { readonly draft: Draft; readonly changed: boolean }): readonly SchemaViolation[] {
  const [violations, setViolations] = useState<readonly SchemaViolation[]>([])
  useEffect(() => {
    const parsed = parseDraft(draft.text)
    if (!changed || 'problem' in parsed) {
      setViolations([])
      return undefined
    }
    const ending = new AbortController()
    const change = { op: 'apply-document' as const, tenant: tenant.name, service, data: parsed.data }
    const timer = setTimeout(() => {
      tryWrite({ changes: [change], maxTenants: 1 }, ending.signal).then(
        (impact) => setViolations(impact.violations.filter((one) => one.tenant === tenant.name)),
        // Without an answer nothing is known to be wrong; the review says why there is none.
        () => setViolations([]),
      )
    }, TRY_AFTER_MS)
    return () => {
      clearTimeout(timer)
      ending.abort()
    }
  }, [draft.text, changed])
  return violations
}

function Problems({
  parsed,
  violations,
}: {
  readonly parsed: ReturnType<typeof parseDraft>
  readonly violations: readonly SchemaViolation[]
}): JSX.Element | null {
  if ('problem' in parsed) {
    return (
      <p class="note tone-bad" role="alert">
        {parsed.problem}
      </p>
    )
  }
  if (violations.length === 0) return null
  return (
    <div class="note tone-bad" role="alert">
      <strong>{tn('config.edit.schemaProblems', violations.length)}</strong>
      <ul>
        {violations.map(({ service, path, rule, keyword }) => (
          <li key={`${service} ${path} ${keyword}`}>
            <code>{path}</code> {rule}
          </li>
        ))}
      </ul>
    </div>
  )
}

function MovedNote({
  stored,
  onMerge,
}: {
  readonly stored: ConfigDocument | undefined
  readonly onMerge: () => void
}): JSX.Element {
  return (
    <p class="note tone-warn row" role="status">
      <span>{t('config.changedElsewhere', { revision: stored?.revision ?? '–' })}</span>
      <Button onClick={onMerge}>{t('config.mergeNow')}</Button>
    </p>
  )
}
