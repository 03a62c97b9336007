import { CALLER_HEADER } from '@tributary/contract/light'
import type { Dispatcher } from 'undici'

type Headers = Dispatcher.DispatchOptions['headers']
type Value = string | string[] | undefined

/** What is done to the headers of a call. */
export interface HeaderEdit {
  /** The `baggage` to send in the place of what is written; undefined: none. */
  readonly baggage: (written: string | undefined) => string | undefined
  /** Who calls, unless the program has written it. */
  readonly caller?: string | undefined
}

/** Edits dispatch headers in every form that undici takes; what was given is not changed. Most calls write no baggage of their own. */
export function editHeaders(headers: Headers, edit: HeaderEdit): NonNullable<Headers> | null {
  if (headers === undefined || headers === null) return freshHeaders(edit)
  if (Array.isArray(headers)) return editFlat(headers, edit)
  if (isIterable(headers)) return editFlat([...headers].flatMap(spread), edit)
  return editRecord(headers, edit)
}

function freshHeaders({ baggage, caller }: HeaderEdit): string[] | null {
  const text = baggage(undefined)
  if (text === undefined) return caller === undefined ? null : [CALLER_HEADER, caller]
  return caller === undefined ? ['baggage', text] : ['baggage', text, CALLER_HEADER, caller]
}

function editRecord(headers: Readonly<Record<string, Value>>, edit: HeaderEdit): Record<string, Value> {
  const edited: Record<string, Value> = {}
  const written: string[] = []
  let isCallerWritten = false
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (is(name, CALLER_HEADER)) isCallerWritten = true
    if (is(name, 'baggage')) written.push(...texts(value))
    else edited[name] = value
  }
  const baggage = edit.baggage(join(written))
  if (baggage !== undefined) edited['baggage'] = baggage
  if (!isCallerWritten && edit.caller !== undefined) edited[CALLER_HEADER] = edit.caller
  return edited
}

/** Name and value in turn. */
function editFlat(flat: readonly string[], edit: HeaderEdit): string[] {
  const edited: string[] = []
  const written: string[] = []
  let isCallerWritten = false
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = flat[index] ?? ''
    const value = flat[index + 1] ?? ''
    if (is(name, CALLER_HEADER)) isCallerWritten = true
    if (is(name, 'baggage')) written.push(value)
    else edited.push(name, value)
  }
  edited.push(...named('baggage', edit.baggage(join(written))))
  if (!isCallerWritten) edited.push(...named(CALLER_HEADER, edit.caller))
  return edited
}

function named(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [name, value]
}

function spread([name, value]: readonly [string, Value]): string[] {
  return texts(value).flatMap((text) => [name, text])
}

function texts(value: Value): readonly string[] {
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

function join(written: readonly string[]): string | undefined {
  return written.length === 0 ? undefined : written.join(',')
}

/** The length decides nearly always, and costs nothing. */
function is(name: string, lowerCase: string): boolean {
  return name.length === lowerCase.length && name.toLowerCase() === lowerCase
}

function isIterable(headers: object): headers is Iterable<[string, Value]> {
  return Symbol.iterator in headers
}
