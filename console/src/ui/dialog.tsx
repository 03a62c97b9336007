import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { t } from '../i18n/i18n.js'
import { Button } from './button.js'

/** A modal dialog for as long as it is rendered. Escape and the close button call `onClose`; the focus goes back to where it was. */
export function Dialog(props: {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
  readonly wide?: boolean
  /** Buttons at the end. */
  readonly actions?: ComponentChildren
}): JSX.Element {
  const element = useRef<HTMLDialogElement>(null)
  const title = useId()
  useEffect(() => {
    const dialog = element.current
    const before = document.activeElement
    dialog?.showModal()
    return () => {
      dialog?.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={element}
      class={props.wide === true ? 'dialog dialog-wide' : 'dialog'}
      aria-labelledby={title}
      onCancel={(event) => {
        event.preventDefault()
        props.onClose()
      }}
    >
      <header class="dialog-head">
        <h2 id={title}>{props.title}</h2>
        <Button kind="bare" icon="cross" label={t('action.close')} onClick={props.onClose} />
      </header>
      <div class="dialog-body">{props.children}</div>
      {props.actions === undefined ? null : <footer class="dialog-foot">{props.actions}</footer>}
    </dialog>
  )
}
