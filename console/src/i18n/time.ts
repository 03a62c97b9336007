import { signal } from '@preact/signals'
import { t } from './i18n.js'

/** The present, to some seconds: texts like "2 min ago" follow it. */
export const now = signal(Date.now())

const TICK_MS = 5000
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Lets {@link now} run. */
export function startClock(): void {
  setInterval(() => (now.value = Date.now()), TICK_MS)
}

/** A span as its one biggest unit: `3 min`. */
export function span(ms: number): string {
  const length = Math.max(0, ms)
  if (length < MINUTE) return t('time.seconds', { n: Math.floor(length / SECOND) })
  if (length < HOUR) return t('time.minutes', { n: Math.floor(length / MINUTE) })
  if (length < 2 * DAY) return t('time.hours', { n: Math.floor(length / HOUR) })
  return t('time.days', { n: Math.floor(length / DAY) })
}

/** A duration as it is measured: `320 ms`, `2.4 s`, `3 min 05 s`. */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(1)} s`
  const seconds = String(Math.floor((ms % MINUTE) / SECOND)).padStart(2, '0')
  return `${Math.floor(ms / MINUTE)} min ${seconds} s`
}

/** `5 min ago`, as seen from {@link now}. */
export function ago(at: string | number): string {
  const ms = now.value - new Date(at).getTime()
  return ms < 5 * SECOND ? t('time.now') : t('time.ago', { time: span(ms) })
}

/** `in 5 h`, as seen from {@link now}. */
export function until(at: string | number): string {
  return t('time.in', { time: span(new Date(at).getTime() - now.value) })
}
