import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Icon, type IconName } from './icon.js'

/** One line of a menu. `unavailable` says why it cannot be chosen; it is shown nevertheless, with the reason. */
export interface MenuItem {
  readonly id: string
  readonly text: string
  readonly icon?: IconName
  readonly danger?: boolean
  readonly unavailable?: string | undefined
  readonly onChoose: () => void
}

/** A button that opens a menu: arrow keys go through it, Escape closes it. */
export function Menu({
  label,
  items,
  children,
}: {
  readonly label: string
  readonly items: readonly MenuItem[]
  readonly children?: string
}): JSX.Element {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const id = useId()
  useClosing(open, root, () => setOpen(false))
  const close = (): void => {
    setOpen(false)
    root.current?.querySelector('button')?.focus()
  }
  return (
    <div class="menu" ref={root} onKeyDown={(event) => onMenuKey(event, root.current, close)}>
      <button
        type="button"
        class={`button ${children === undefined ? 'button-bare' : 'button-plain'}`}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={id}
        aria-label={label}
        title={label}
        onClick={() => setOpen(!open)}
      >
        {children === undefined ? <Icon name="more" /> : <span>{children}</span>}
      </button>
      {open ? (
        <ul class="menu-list" role="menu" id={id} aria-label={label}>
          {items.map((item) => (
            <MenuLine key={item.id} item={item} close={close} />
          ))}
        </ul>
      ) : null}
    </div>
  )
}

function MenuLine({ item, close }: { readonly item: MenuItem; readonly close: () => void }): JSX.Element {
  return (
    <li role="none">
      <button
        type="button"
        role="menuitem"
        tabIndex={-1}
        data-action={item.id}
        class={item.danger === true ? 'menu-item menu-danger' : 'menu-item'}
        aria-disabled={item.unavailable === undefined ? undefined : 'true'}
        onClick={() => {
          if (item.unavailable !== undefined) return
          close()
          item.onChoose()
        }}
      >
        {item.icon === undefined ? null : <Icon name={item.icon} size={16} />}
        <span>
          {item.text}
          {item.unavailable === undefined ? null : <small>{item.unavailable}</small>}
        </span>
      </button>
    </li>
  )
}

function useClosing(open: boolean, root: { readonly current: HTMLElement | null }, close: () => void): void {
  useEffect(() => {
    if (!open) return undefined
    root.current?.querySelector<HTMLElement>('[role="menuitem"]')?.focus()
    const outside = (event: Event): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) === false) close()
    }
    document.addEventListener('pointerdown', outside)
    return () => document.removeEventListener('pointerdown', outside)
  }, [open])
}

function onMenuKey(event: KeyboardEvent, root: HTMLElement | null, close: () => void): void {
  const items = [...(root?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])]
  if (items.length === 0) return
  const at = items.findIndex((item) => item === document.activeElement)
  const steps: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }
  if (event.key === 'Escape' || event.key === 'Tab') close()
  const to = steps[event.key]
  if (to === undefined) return
  event.preventDefault()
  items[(to + items.length) % items.length]?.focus()
}
