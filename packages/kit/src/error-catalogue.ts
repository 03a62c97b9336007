import { AppError, type ErrorKind } from './app-error.js'

/** Every code that one part of the system can answer with: its kind, and what it means to whoever gets it. */
export type ErrorCatalogue = Readonly<Record<string, { readonly kind: ErrorKind; readonly description: string }>>

/** What an error may carry besides its code and message; see `AppErrorOptions`. */
export interface FailureContext {
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
  readonly retryable?: boolean
}

/** Makes the errors of a catalogue: the code decides the kind, so that no place can disagree with the documentation. */
export function failuresOf<Catalogue extends ErrorCatalogue>(catalogue: Catalogue) {
  return (code: keyof Catalogue & string, message: string, context: FailureContext = {}): AppError => {
    const entry = catalogue[code]
    if (entry === undefined) throw new TypeError(`${code} is not in the catalogue`)
    return new AppError({ kind: entry.kind, code, message, ...context })
  }
}

/** Markdown that lists catalogues by their titles: the reference page of all errors. */
export function renderErrorReference(
  catalogues: readonly (readonly [title: string, catalogue: ErrorCatalogue])[],
): string {
  const sections = catalogues.map(([title, catalogue]) => {
    const rows = Object.entries(catalogue).map(
      ([code, { kind, description }]) => `| \`${code}\` | ${kind} | ${description} |`,
    )
    return [`## ${title}`, '', '| code | kind | meaning |', '| --- | --- | --- |', ...rows, ''].join('\n')
  })
  const intro = 'Programs match on `code`; messages are for people and may change. The kind decides the HTTP status.'
  return [
    '<!-- Generated from the catalogues by `npm run generate`. Do not edit. -->',
    '',
    '# Errors',
    '',
    intro,
    '',
    ...sections,
  ].join('\n')
}
