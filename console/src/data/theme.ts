import { signal } from '@preact/signals'

/** Which colours the person wants. */
export type Theme = 'system' | 'light' | 'dark'

const STORED = 'tributary.theme'
/** The wish of the person; the colours themselves are the style sheet's. */
export const theme = signal<Theme>('system')

/** Takes a wish, and remembers it in this browser. */
export function setTheme(next: Theme): void {
  theme.value = next
  localStorage.setItem(STORED, next)
  apply(next)
}

/** Takes what was wished in this browser before. */
export function startTheme(): void {
  const stored = localStorage.getItem(STORED)
  theme.value = stored === 'light' || stored === 'dark' ? stored : 'system'
  apply(theme.value)
}

function apply(wanted: Theme): void {
  const root = document.documentElement
  if (wanted === 'system') root.removeAttribute('data-theme')
  else root.dataset['theme'] = wanted
}
