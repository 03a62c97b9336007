import type { Environment } from '@tributary/contract'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import {
  actOnEnvironment,
  deleteEnvironment,
  listRuns,
  patchEnvironment,
  rollBackService,
} from '../../api/env-manager.js'
import { tellTopic } from '../../data/events.js'
import { useLoaded } from '../../data/use-loaded.js'
import { formatInstant, t, tn } from '../../i18n/i18n.js'
import { Button } from '../../ui/button.js'
import { Dialog } from '../../ui/dialog.js'
import { Select } from '../../ui/field.js'
import { attempt } from '../../ui/toast.js'

/** An action that waits for a person's word. */
export interface PendingAction {
  readonly kind: 'extend' | 'sleep' | 'wake' | 'redeploy' | 'rollback' | 'delete'
  readonly environment: Environment
}

interface Props {
  readonly action: PendingAction
  readonly onClose: () => void
}

const HOUR_MS = 3_600_000
const SPANS_HOURS = [8, 24, 72, 168, 720] as const

/** Asks whether it shall be done, and with what; does it then. */
export function ActionDialog({ action, onClose }: Props): JSX.Element {
  switch (action.kind) {
    case 'extend':
      return <Extend action={action} onClose={onClose} />
    case 'rollback':
      return <RollBack action={action} onClose={onClose} />
    case 'delete':
      return <Delete action={action} onClose={onClose} />
    case 'sleep':
    case 'wake':
    case 'redeploy':
      return <Plain action={action} kind={action.kind} onClose={onClose} />
  }
}

function Frame(props: {
  readonly title: string
  readonly verb: string
  readonly danger?: boolean
  readonly unavailable?: string | undefined
  readonly onClose: () => void
  readonly onConfirm: () => Promise<unknown>
  readonly children: JSX.Element | readonly JSX.Element[]
}): JSX.Element {
  const confirm = async (): Promise<void> => {
    props.onClose()
    await attempt(props.verb, props.onConfirm)
    tellTopic('environment')
    tellTopic('run')
  }
  const actions = (
    <>
      <Button onClick={props.onClose}>{t('action.cancel')}</Button>
      <Button
        kind={props.danger === true ? 'danger' : 'primary'}
        unavailable={props.unavailable}
        onClick={() => void confirm()}
      >
        {props.verb}
      </Button>
    </>
  )
  return (
    <Dialog title={props.title} onClose={props.onClose} actions={actions}>
      {props.children}
    </Dialog>
  )
}

function Plain({ action, kind, onClose }: Props & { readonly kind: 'sleep' | 'wake' | 'redeploy' }): JSX.Element {
  const { name } = action.environment
  return (
    <Frame
      title={t(`env.confirm.${kind}`, { name })}
      verb={t(`env.act.${kind}`)}
      onClose={onClose}
      onConfirm={() => actOnEnvironment(name, kind)}
    >
      <p>{t(`env.confirm.${kind}Text`)}</p>
    </Frame>
  )
}

function Delete({ action: { environment }, onClose }: Props): JSX.Element {
  const { name, branch, services } = environment
  const [typed, setTyped] = useState('')
  const wanted = t('env.confirm.typeName', { name })
  return (
    <Frame
      title={t('env.confirm.delete', { name })}
      verb={t('env.act.delete').replace(/ ?…$/, '')}
      danger
      unavailable={typed === name ? undefined : wanted}
      onClose={onClose}
      onConfirm={() => deleteEnvironment(name)}
    >
      <p>{t('env.confirm.deleteText', { n: services.length, branch })}</p>
      <label class="field">
        <span class="field-label">{wanted}</span>
        <input
          value={typed}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
    </Frame>
  )
}

function Extend({ action: { environment }, onClose }: Props): JSX.Element {
  const { name } = environment
  const [hours, setHours] = useState('72')
  const keepUntil = (): string => new Date(Date.now() + Number(hours) * HOUR_MS).toISOString()
  return (
    <Frame
      title={t('env.confirm.extend', { name })}
      verb={t('env.act.extend')}
      onClose={onClose}
      onConfirm={() => patchEnvironment(name, { keepUntil: keepUntil() })}
    >
      <Select
        label={t('env.confirm.extendText')}
        value={hours}
        choices={SPANS_HOURS.map((n) => ({
          value: String(n),
          text: n < 24 ? t('env.confirm.hours', { n }) : tn('env.confirm.days', n / 24),
        }))}
        onChange={setHours}
      />
    </Frame>
  )
}

function RollBack({ action: { environment }, onClose }: Props): JSX.Element {
  const { name, services } = environment
  const [service, setService] = useState(services[0]?.name ?? '')
  const [runId, setRunId] = useState('')
  const { state } = useLoaded({
    key: `runs/${name}`,
    load: (signal) => listRuns({ environment: name, limit: 100 }, signal),
    topics: ['run'],
  })
  const good = (state.value.data ?? []).filter((run) => run.kind === 'deploy' && run.state === 'succeeded')
  return (
    <Frame
      title={t('env.confirm.rollback', { name })}
      verb={t('env.act.rollback').replace(/ ?…$/, '')}
      onClose={onClose}
      onConfirm={() => rollBackService(name, service, runId === '' ? undefined : runId)}
    >
      <p>{t('env.confirm.rollbackText')}</p>
      <Select
        label={t('env.confirm.service')}
        value={service}
        choices={services.map((one) => ({ value: one.name, text: `${one.name} ${one.version ?? ''}` }))}
        onChange={setService}
      />
      <Select
        label={t('env.confirm.toRun')}
        value={runId}
        choices={[
          { value: '', text: t('env.confirm.previous') },
          ...good.map((run) => ({
            value: run.runId,
            text: `${formatInstant(run.startedAt)} · ${run.commits.map(({ commitSha }) => commitSha.slice(0, 8)).join(', ')}`,
          })),
        ]}
        onChange={setRunId}
      />
    </Frame>
  )
}
