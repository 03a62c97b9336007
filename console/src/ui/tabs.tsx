import type { JSX } from 'preact'

/** One tab: a link, so that it can be opened anew and sent to somebody. */
export interface Tab {
  readonly id: string
  readonly text: string
  readonly href?: string | undefined
}

/** Links that look like tabs; the current one says so. */
export function TabLinks({
  label,
  tabs,
  current,
}: {
  readonly label: string
  readonly tabs: readonly Tab[]
  readonly current: string
}): JSX.Element {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ id, text, href }) => (
        <a key={id} href={href ?? '#'} class="tab" aria-current={id === current ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  )
}

/** Tabs within a page: buttons of which one is pressed. */
export function TabButtons({
  label,
  tabs,
  current,
  onChoose,
}: {
  readonly label: string
  readonly tabs: readonly Tab[]
  readonly current: string
  readonly onChoose: (id: string) => void
}): JSX.Element {
  return (
    <div class="segments" role="group" aria-label={label}>
      {tabs.map(({ id, text }) => (
        <button key={id} type="button" class="segment" aria-pressed={id === current} onClick={() => onChoose(id)}>
          {text}
        </button>
      ))}
    </div>
  )
}
