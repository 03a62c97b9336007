import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { t } from '../i18n/i18n.js'
import { Button } from './button.js'

interface Toast {
  readonly id: number
  readonly tone: 'good' | 'bad'
  readonly text: string
}

const GOOD_MS = 5000
const MAX_SHOWN = 4
const toasts = signal<readonly Toast[]>([])
let last = 0

/** Tells the person what came of an action. Failures stay until they are closed. */
export function tell(tone: Toast['tone'], text: string): void {
  last += 1
  const id = last
  toasts.value = [...toasts.value, { id, tone, text }].slice(-MAX_SHOWN)
  if (tone === 'good') setTimeout(() => drop(id), GOOD_MS)
}

/** Runs an action and tells its end; answers whether it went well. */
export async function attempt(action: string, run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run()
    tell('good', t('action.done', { action }))
    return true
  } catch (error) {
    tell('bad', t('action.failed', { action, message: error instanceof Error ? error.message : String(error) }))
    return false
  }
}

function drop(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

/** Where what was told is shown and read aloud. */
export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, tone, text }) => (
        <div key={id} class={`toast tone-${tone}`}>
          <span>{text}</span>
          <Button kind="bare" icon="cross" label={t('action.close')} onClick={() => drop(id)} />
        </div>
      ))}
    </div>
  )
}
