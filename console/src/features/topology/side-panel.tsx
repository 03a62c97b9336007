import type { ComponentChildren, JSX } from 'preact'
import { t } from '../../i18n/i18n.js'
import { Button } from '../../ui/button.js'

/** The panel beside the drawing (below it on a phone). */
export function SidePanel(props: {
  readonly title: string
  readonly note?: ComponentChildren
  readonly onClose?: () => void
  readonly children: ComponentChildren
}): JSX.Element {
  return (
    <aside class="panel" aria-label={props.title}>
      <header class="panel-head">
        <div>
          <h2 class="wrap">{props.title}</h2>
          {props.note === undefined ? null : <div class="panel-note">{props.note}</div>}
        </div>
        {props.onClose === undefined ? null : (
          <Button kind="bare" icon="cross" label={t('action.close')} onClick={props.onClose} />
        )}
      </header>
      <div class="panel-body">{props.children}</div>
    </aside>
  )
}

/** A list of names and values. */
export function Facts({
  facts,
}: {
  readonly facts: readonly (readonly [string, ComponentChildren] | undefined)[]
}): JSX.Element {
  return (
    <dl class="facts">
      {facts.map((fact) =>
        fact === undefined ? null : (
          <div key={fact[0]}>
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </div>
        ),
      )}
    </dl>
  )
}
