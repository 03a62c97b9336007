import type { Dispatcher } from 'undici'

type Headers = Dispatcher.DispatchOptions['headers']
type Value = string | string[] | undefined

/** Replaces the `baggage` of dispatch headers, in every form that undici takes; what was given is not changed. */
export function editBaggage(headers: Headers, edit: (written: string | undefined) => string | undefined): Headers {
  if (headers === undefined || headers === null) {
    const baggage = edit(undefined)
    return baggage === undefined ? headers : ['baggage', baggage]
  }
  if (Array.isArray(headers)) return editFlat(headers, edit)
  if (isIterable(headers)) return editFlat([...headers].flatMap(spread), edit)
  return editRecord(headers, edit)
}

/** Adds a header to edited ones, unless the program has written it. */
export function addHeader(headers: Headers, name: string, value: string): Headers {
  if (headers === undefined || headers === null) return [name, value]
  if (Array.isArray(headers)) return hasName(headers, name) ? headers : [...headers, name, value]
  return hasName(Object.keys(headers), name, 1) ? headers : { ...headers, [name]: value }
}

function hasName(names: readonly string[], name: string, step = 2): boolean {
  for (let index = 0; index < names.length; index += step) {
    if (names[index]?.length === name.length && names[index]?.toLowerCase() === name) return true
  }
  return false
}

function editRecord(
  headers: Readonly<Record<string, Value>>,
  edit: (written: string | undefined) => string | undefined,
): Record<string, Value> {
  const edited: Record<string, Value> = {}
  const written: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    if (isBaggage(name)) written.push(...texts(value))
    else edited[name] = value
  }
  const baggage = edit(join(written))
  if (baggage !== undefined) edited['baggage'] = baggage
  return edited
}

/** Name and value in turn. */
function editFlat(flat: readonly string[], edit: (written: string | undefined) => string | undefined): string[] {
  const edited: string[] = []
  const written: string[] = []
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const [name = '', value = ''] = flat.slice(index, index + 2)
    if (isBaggage(name)) written.push(value)
    else edited.push(name, value)
  }
  const baggage = edit(join(written))
  return baggage === undefined ? edited : [...edited, 'baggage', baggage]
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

function isBaggage(name: string): boolean {
  return name.length === 7 && name.toLowerCase() === 'baggage'
}

function isIterable(headers: object): headers is Iterable<[string, Value]> {
  return Symbol.iterator in headers
}
