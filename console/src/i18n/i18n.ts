import { computed, signal } from '@preact/signals'
import { en, type MessageKey } from './en.js'

/** A language that the console speaks. */
export type Language = 'en' | 'zh'

/** What fills the places of a text. */
export type Values = Readonly<Record<string, string | number>>

const STORED = 'tributary.language'
const catalogue = signal<Readonly<Record<MessageKey, string>>>(en)
/** The language of the page now. */
export const language = signal<Language>('en')
const locale = computed(() => (language.value === 'zh' ? 'zh-CN' : 'en-GB'))
// Making a formatter takes about as long as drawing a row of a list: one for each language does for all texts.
const numbers = computed(() => new Intl.NumberFormat(locale.value, { maximumFractionDigits: 2 }))
const instants = computed(() => new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'medium' }))
const times = computed(() => new Intl.DateTimeFormat(locale.value, { timeStyle: 'medium' }))

/** The text of a key in the language of the page. A place without a value stays as it is written. */
export function t(key: MessageKey, values: Values = {}): string {
  return fill(catalogue.value[key], values)
}

/** As {@link t} with `{n}`; exactly one has a text of its own where the language has one. */
export function tn(key: MessageKey, n: number, values: Values = {}): string {
  const one = `${key}.one`
  const chosen = n === 1 && isKey(one) ? one : key
  return t(chosen, { n: formatNumber(n), ...values })
}

/** The text of a key that is put together at run time, or `fallback` when there is none: for words that come from the API. */
export function tWord(key: string, fallback: string): string {
  return isKey(key) ? t(key) : fallback
}

/** Fills `{name}` by `values.name`. */
export function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place))
}

/** A number as people of the page's language write it. */
export function formatNumber(n: number): string {
  return numbers.value.format(n)
}

/** An instant as people of the page's language write it, to the second. */
export function formatInstant(at: string | number): string {
  return instants.value.format(new Date(at))
}

/** The time of day to the second. */
export function formatTime(at: string | number): string {
  return times.value.format(new Date(at))
}

/** Changes the language of the page and remembers it in this browser. */
export async function setLanguage(next: Language): Promise<void> {
  catalogue.value = next === 'zh' ? (await import('./zh.js')).zh : en
  language.value = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
  localStorage.setItem(STORED, next)
}

/** The language that was chosen in this browser, else the browser's own. */
export async function startLanguage(): Promise<void> {
  const stored = localStorage.getItem(STORED)
  const wanted = stored ?? navigator.language
  if (wanted.startsWith('zh')) await setLanguage('zh')
}

function isKey(key: string): key is MessageKey {
  return Object.hasOwn(en, key)
}
