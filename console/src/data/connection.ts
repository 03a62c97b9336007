import { signal } from '@preact/signals'

/** Since when the API has not answered (epoch milliseconds); undefined while it does. */
export const downSince = signal<number | undefined>(undefined)
/** Counts how often the API came back: whoever shows data reads it again when this grows. */
export const recoveries = signal(0)
/** How live the page is: by the events stream, by asking now and then, or cut. */
export const liveness = signal<'stream' | 'polling' | 'cut'>('polling')

/** The API gave an answer, if only an error of its own. */
export function noteAnswer(status: number): void {
  if (status === 502 || status === 503 || status === 504) {
    noteUnreachable()
    return
  }
  if (downSince.value === undefined) return
  downSince.value = undefined
  recoveries.value += 1
}

/** No answer came. */
export function noteUnreachable(): void {
  downSince.value ??= Date.now()
}
