import { escapePointer } from './leaves.js'

/** A piece of a text. */
export interface Span {
  readonly from: number
  readonly to: number
}

interface Frame {
  readonly kind: 'object' | 'array'
  key: string
  keySpan: Span
  index: number
  /** In an object: whether a key or a value comes next. */
  expects: 'key' | 'value'
}

/** Where the cursor is in a document that is being written. */
export interface JsonPlace {
  /** JSON Pointer of the object or array around the cursor. */
  readonly parent: string
  /** What can be written there. */
  readonly wants: 'key' | 'value' | 'nothing'
  /** The key whose value is wanted. */
  readonly key: string | undefined
  /** What has been written of the word under the cursor, its opening quote included. */
  readonly word: Span
}

const TOKEN = /"(?:[^"\\\n]|\\.)*"?|[{}[\],:]|[^\s{}[\],:"]+/g

/** Where `position` is. The text need not be valid: only what stands before the position counts. */
export function placeAt(text: string, position: number): JsonPlace {
  const frames: Frame[] = []
  let word: Span = { from: position, to: position }
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (index >= position) break
    const end = index + token.length
    if (end >= position && !/^[{}[\],:]$/.test(token) && !isClosed(token, end, position)) {
      word = { from: index, to: position }
      break
    }
    step(frames, token, { from: index, to: end })
  }
  const top = frames.at(-1)
  const parent = pointerOf(frames.slice(0, -1))
  if (top === undefined) return { parent: '', wants: 'nothing', key: undefined, word }
  const wants = top.kind === 'array' ? 'value' : top.expects
  return { parent, wants, key: top.kind === 'object' && wants === 'value' ? top.key : undefined, word }
}

/** Where the values of a valid document stand, by JSON Pointer. A member's span is that of its key. */
export function spansOf(text: string): ReadonlyMap<string, Span> {
  const frames: Frame[] = []
  const spans = new Map<string, Span>([['', { from: 0, to: Math.min(1, text.length) }]])
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const span = { from: index, to: index + token.length }
    const top = frames.at(-1)
    if (top?.kind === 'array' && !/^[\],]$/.test(token)) spans.set(pointerOf(frames), span)
    step(frames, token, span)
    if (top?.kind === 'object' && token === ':') spans.set(pointerOf(frames), top.keySpan)
  }
  return spans
}

function isClosed(token: string, end: number, position: number): boolean {
  return end === position && token.length > 1 && token.startsWith('"') && token.endsWith('"')
}

function step(frames: Frame[], token: string, span: Span): void {
  const top = frames.at(-1)
  if (token === '{' || token === '[') {
    const kind = token === '{' ? 'object' : 'array'
    frames.push({ kind, key: '', keySpan: span, index: 0, expects: 'key' })
  } else if (token === '}' || token === ']') frames.pop()
  else if (token === ':' && top !== undefined) top.expects = 'value'
  else if (token === ',' && top !== undefined) {
    top.index += 1
    top.expects = 'key'
  } else if (top?.kind === 'object' && top.expects === 'key') {
    top.key = unquoted(token)
    top.keySpan = span
  }
}

/** The pointer to what is written now in each of the frames. */
function pointerOf(frames: readonly Frame[]): string {
  return frames.map(({ kind, key, index }) => `/${kind === 'object' ? escapePointer(key) : index}`).join('')
}

function unquoted(token: string): string {
  try {
    const value: unknown = JSON.parse(token)
    return typeof value === 'string' ? value : token
  } catch {
    return token.replace(/^"|"$/g, '')
  }
}
