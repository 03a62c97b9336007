import type { ComponentChildren, JSX } from 'preact'
import { Icon, type IconName } from './icon.js'

/** What a word means at a glance; each has a colour and comes with an icon or a text, never the colour alone. */
export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'quiet' | 'accent'

/** A word with its tone and, mostly, an icon. */
export function Badge(props: {
  readonly tone: Tone
  readonly icon?: IconName | undefined
  readonly title?: string | undefined
  readonly children: ComponentChildren
}): JSX.Element {
  return (
    <span class={`badge tone-${props.tone}`} title={props.title}>
      {props.icon === undefined ? null : <Icon name={props.icon} size={14} />}
      <span>{props.children}</span>
    </span>
  )
}
