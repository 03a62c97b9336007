import type { ComponentChildren, JSX } from 'preact'
import { Icon, type IconName } from './icon.js'

interface Props {
  readonly onClick?: () => void
  readonly children?: ComponentChildren
  readonly icon?: IconName
  /** Read aloud instead of the content; needed where there is only an icon. */
  readonly label?: string
  readonly kind?: 'plain' | 'primary' | 'danger' | 'bare'
  /** Why it cannot be pressed; it stays visible and can be focused, so that everybody learns the reason. */
  readonly unavailable?: string | undefined
  readonly pressed?: boolean
  readonly type?: 'button' | 'submit'
  readonly class?: string
}

/** A button. One that is unavailable says why. */
export function Button(props: Props): JSX.Element {
  const { unavailable, kind = 'plain', type = 'button' } = props
  return (
    <button
      type={type}
      class={`button button-${kind} ${props.class ?? ''}`}
      aria-label={props.label}
      aria-disabled={unavailable === undefined ? undefined : 'true'}
      aria-pressed={props.pressed}
      title={unavailable ?? props.label}
      onClick={(event) => {
        if (unavailable === undefined) props.onClick?.()
        else event.preventDefault()
      }}
    >
      {props.icon === undefined ? null : <Icon name={props.icon} size={16} />}
      {props.children === undefined ? null : <span>{props.children}</span>}
    </button>
  )
}
