import type { Environment } from '@tributary/contract'
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { patchEnvironment } from '../../api/env-manager.js'
import { denial } from '../../api/session.js'
import { tellTopic } from '../../data/events.js'
import { t } from '../../i18n/i18n.js'
import { Menu, type MenuItem } from '../../ui/menu.js'
import { attempt } from '../../ui/toast.js'
import { ActionDialog, type PendingAction } from './action-dialog.js'

const pending = signal<PendingAction | undefined>(undefined)

/** What can be done to an environment. What cannot is shown with the reason. */
export function EnvironmentMenu({
  environment,
  text,
}: {
  readonly environment: Environment
  readonly text?: string
}): JSX.Element {
  const items = itemsOf(environment)
  const label = `${t('action.more')}: ${environment.name}`
  return (
    <>
      {text === undefined ? (
        <Menu label={label} items={items} />
      ) : (
        <Menu label={label} items={items}>
          {text}
        </Menu>
      )}
      {pending.value?.environment.name === environment.name ? (
        <ActionDialog action={pending.value} onClose={() => (pending.value = undefined)} />
      ) : null}
    </>
  )
}

function itemsOf(environment: Environment): readonly MenuItem[] {
  const ask = (kind: PendingAction['kind']) => (): void => {
    pending.value = { kind, environment }
  }
  const why = reasonsOf(environment)
  return [
    {
      id: environment.pinned ? 'unpin' : 'pin',
      text: t(environment.pinned ? 'env.act.unpin' : 'env.act.pin'),
      icon: 'pin',
      unavailable: why.change,
      onChoose: () => void togglePin(environment),
    },
    { id: 'extend', text: t('env.act.extend'), icon: 'clock', unavailable: why.extend, onChoose: ask('extend') },
    environment.phase === 'asleep'
      ? { id: 'wake', text: t('env.act.wake'), icon: 'runs', unavailable: why.change, onChoose: ask('wake') }
      : { id: 'sleep', text: t('env.act.sleep'), icon: 'moon', unavailable: why.sleep, onChoose: ask('sleep') },
    {
      id: 'redeploy',
      text: t('env.act.redeploy'),
      icon: 'refresh',
      unavailable: why.redeploy,
      onChoose: ask('redeploy'),
    },
    { id: 'rollback', text: t('env.act.rollback'), icon: 'back', unavailable: why.rollback, onChoose: ask('rollback') },
    {
      id: 'delete',
      text: t('env.act.delete'),
      icon: 'cross',
      danger: true,
      unavailable: why.delete,
      onChoose: ask('delete'),
    },
  ]
}

/** Why each action cannot be done now; undefined where it can. */
function reasonsOf(environment: Environment): Readonly<Record<string, string | undefined>> {
  const subject = environment.stage === 'development' ? 'feature' : 'shared'
  const ending = environment.phase === 'terminating' ? t('env.why.terminating') : undefined
  const change = denial('change-environment', subject) ?? ending
  const shared = environment.stage === 'integration' ? t('env.why.integration') : undefined
  const noTtl = environment.expiresAt === null ? t('env.why.noTtl') : undefined
  return {
    change,
    extend: change ?? (environment.pinned ? t('env.why.pinned') : noTtl),
    sleep: change ?? shared ?? (environment.services.length === 0 ? t('env.why.noOwn') : undefined),
    redeploy: change ?? (environment.services.length === 0 ? t('env.why.noOwn') : undefined),
    rollback: change ?? (environment.services.length === 0 ? t('env.why.noOwn') : undefined),
    delete: denial('delete-environment', subject) ?? ending ?? shared,
  }
}

async function togglePin({ name, pinned }: Environment): Promise<void> {
  const action = t(pinned ? 'env.act.unpin' : 'env.act.pin')
  await attempt(`${action} ${name}`, () => patchEnvironment(name, { pinned: !pinned }))
  tellTopic('environment')
}
