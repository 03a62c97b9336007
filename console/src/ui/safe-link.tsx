import type { ComponentChildren, JSX } from 'preact'
import { Icon } from './icon.js'

/** A link to an address that came from the API: anything but http and https is shown as text. */
export function SafeLink(props: {
  readonly href: string
  readonly label?: string
  readonly children: ComponentChildren
}): JSX.Element {
  const { href } = props
  const safe = URL.canParse(href) && ['http:', 'https:'].includes(new URL(href).protocol)
  if (!safe) return <span>{props.children}</span>
  return (
    <a class="outside" href={href} target="_blank" rel="noreferrer noopener" aria-label={props.label}>
      {props.children}
      <Icon name="external" size={14} />
    </a>
  )
}
