import { t } from '../../i18n/i18n.js'
import { isObject } from './leaves.js'

/** What is being written, beside what it began from. */
export interface Draft {
  /** What the person has written. */
  readonly text: string
  /** The document from which the person began; undefined: there was none. */
  readonly base: unknown
  /** Its revision; "0": there was none. */
  readonly baseRevision: string
  /** Another one each time that the text comes from elsewhere than from the person's own typing. */
  readonly origin: symbol
}

/** A draft's JSON, or why it is none. */
export type ParsedDraft = { readonly data: Readonly<Record<string, unknown>> } | { readonly problem: string }

/** The text of a document as people read it. */
export function textOf(data: unknown): string {
  return JSON.stringify(data ?? {}, null, 2)
}

/** Reads what was written. */
export function parseDraft(text: string): ParsedDraft {
  try {
    const data: unknown = JSON.parse(text)
    return isObject(data) ? { data } : { problem: t('config.edit.notObject') }
  } catch (error) {
    return { problem: t('config.edit.invalid', { message: error instanceof Error ? error.message : String(error) }) }
  }
}
