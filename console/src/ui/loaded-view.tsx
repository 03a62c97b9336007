import type { ComponentChildren, JSX } from 'preact'
import { t } from '../i18n/i18n.js'
import { ago } from '../i18n/time.js'
import type { Loaded } from '../data/use-loaded.js'
import { Icon } from './icon.js'

/** Shows what was read; says so while nothing is there, when it cannot be had, and when it is old. */
export function LoadedView<T>({
  loaded,
  children,
}: {
  readonly loaded: Loaded<T>
  readonly children: (data: T) => ComponentChildren
}): JSX.Element {
  const { data, failure, loadedAt } = loaded
  if (data === undefined) {
    return failure === undefined ? (
      <p class="loading" role="status">
        <Icon name="spinner" /> {t('load.loading')}
      </p>
    ) : (
      <FailureNote status={failure.status} message={failure.message} />
    )
  }
  return (
    <>
      {failure === undefined || loadedAt === undefined ? null : (
        <p class="stale" role="status">
          <Icon name="clock" size={16} /> {t('stale.since', { ago: ago(loadedAt) })}: {failure.message}
        </p>
      )}
      {children(data)}
    </>
  )
}

/** Says why something could not be read. */
export function FailureNote({ status, message }: { readonly status: number; readonly message: string }): JSX.Element {
  const title = status === 403 ? t('load.denied') : status === 404 ? t('load.absent') : t('load.failed')
  return (
    <Empty title={title} bad>
      {message}
      {status === 403 ? <span> {t('load.deniedText')}</span> : null}
    </Empty>
  )
}

/** What stands where nothing is. */
export function Empty(props: {
  readonly title: string
  readonly children?: ComponentChildren
  readonly bad?: boolean
}): JSX.Element {
  return (
    <div class="empty">
      <Icon name={props.bad === true ? 'alert' : 'circle'} size={28} />
      <h2>{props.title}</h2>
      {props.children === undefined ? null : <p>{props.children}</p>}
    </div>
  )
}
