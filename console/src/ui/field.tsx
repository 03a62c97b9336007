import type { JSX } from 'preact'
import { Icon } from './icon.js'

/** One choice of a select. */
export interface Choice {
  readonly value: string
  readonly text: string
}

/** A labelled select. */
export function Select(props: {
  readonly label: string
  readonly value: string
  readonly choices: readonly Choice[]
  readonly onChange: (value: string) => void
  /** The label is read aloud only. */
  readonly compact?: boolean
}): JSX.Element {
  return (
    <label class="field">
      <span class={props.compact === true ? 'unseen' : 'field-label'}>{props.label}</span>
      <select value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.choices.map(({ value, text }) => (
          <option key={value} value={value} selected={value === props.value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

/** A search box; its label is the placeholder too. */
export function SearchBox(props: {
  readonly label: string
  readonly value: string
  readonly onInput: (value: string) => void
  readonly onEnter?: () => void
}): JSX.Element {
  return (
    <label class="search">
      <Icon name="search" size={16} />
      <span class="unseen">{props.label}</span>
      <input
        type="search"
        placeholder={props.label}
        value={props.value}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => props.onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') props.onEnter?.()
        }}
      />
    </label>
  )
}

/** A check box with its text. */
export function Check(props: {
  readonly label: string
  readonly checked: boolean
  readonly onChange: (checked: boolean) => void
}): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={props.checked}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <span>{props.label}</span>
    </label>
  )
}
