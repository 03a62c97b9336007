import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete'
import { json } from '@codemirror/lang-json'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint'
import { Compartment, EditorState } from '@codemirror/state'
import { keymap } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { basicSetup, EditorView } from 'codemirror'
import { placeAt, spansOf } from './json-text.js'
import { escapePointer } from './leaves.js'
import { keysAt, valuesAt, type SchemaWord } from './schema-words.js'

/** What the editor is given. */
export interface EditorOptions {
  readonly text: string
  readonly label: string
  readonly readOnly: boolean
  /** Asked at each completion, so that a schema that comes later is used. */
  readonly knowledge: () => { readonly schema: unknown; readonly inherited: unknown }
  readonly onChange: (text: string) => void
  readonly onSave: () => void
}

/** A mistake at a place of the document (JSON Pointer). */
export interface Problem {
  readonly path: string
  readonly message: string
}

/** The editor in the page. */
export interface MountedEditor {
  readonly setText: (text: string) => void
  readonly setReadOnly: (readOnly: boolean) => void
  readonly setProblems: (problems: readonly Problem[]) => void
  readonly destroy: () => void
}

/**
 * Puts an editor for JSON into an element. It lives in a shadow root: there its styles are constructed sheets, which a strict content policy
 * allows, while in the page itself they would be inline.
 */
export function mountEditor(host: HTMLElement, options: EditorOptions): MountedEditor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  const readOnly = new Compartment()
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        keymap.of([{ key: 'Mod-s', preventDefault: true, run: () => (options.onSave(), true) }]),
        basicSetup,
        json(),
        lintGutter(),
        autocompletion({ override: [(context) => complete(context, options)] }),
        readOnly.of(EditorState.readOnly.of(options.readOnly)),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': options.label, spellcheck: 'false' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange(update.state.doc.toString())
        }),
        typingOver,
        colours,
        syntaxHighlighting(words),
      ],
    }),
  })
  return {
    setText: (text) => {
      if (text === view.state.doc.toString()) return
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } })
    },
    setReadOnly: (value) => view.dispatch({ effects: readOnly.reconfigure(EditorState.readOnly.of(value)) }),
    setProblems: (problems) => view.dispatch(setDiagnostics(view.state, diagnosticsOf(view, problems))),
    destroy: () => {
      view.destroy()
      root.replaceChildren()
    },
  }
}

function diagnosticsOf(view: EditorView, problems: readonly Problem[]): Diagnostic[] {
  const text = view.state.doc.toString()
  const spans = spansOf(text)
  return problems.map(({ path, message }) => {
    const span = spans.get(path) ?? { from: 0, to: Math.min(1, text.length) }
    return { ...span, severity: 'error' as const, message }
  })
}

function complete(context: CompletionContext, { knowledge }: EditorOptions): CompletionResult | null {
  const { parent, wants, key, word } = placeAt(context.state.doc.toString(), context.pos)
  if (wants === 'nothing' || (!context.explicit && word.from === word.to)) return null
  const { schema, inherited } = knowledge()
  const words =
    wants === 'key'
      ? keysAt(schema, inherited, parent)
      : valuesAt(schema, key === undefined ? parent : `${parent}/${escapePointer(key)}`)
  return { from: word.from, options: words.map((one) => optionOf(one, wants)), filter: true }
}

function optionOf({ text, note, info }: SchemaWord, wants: 'key' | 'value'): Completion {
  return {
    // With its quote, since that is what has been typed.
    label: wants === 'key' ? JSON.stringify(text) : text,
    apply: wants === 'key' ? `${JSON.stringify(text)}: ` : text,
    detail: note,
    type: wants === 'key' ? 'property' : 'constant',
    ...(info === '' ? {} : { info }),
  }
}

/**
 * What is typed over a selection is put in by the editor, not by the browser: that one would carry the looks of what stood there on as an inline style,
 * which the content policy forbids.
 */
const typingOver = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { data: text, inputType, isComposing } = event
    const { from, to, empty } = view.state.selection.main
    if (inputType !== 'insertText' || text === null || empty || isComposing || view.state.readOnly) return false
    const insert = () =>
      view.state.update(view.state.replaceSelection(text), { userEvent: 'input.type', scrollIntoView: true })
    const handlers = view.state.facet(EditorView.inputHandler)
    if (!handlers.some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert())
    return true
  },
})

/**
 * Of JSON: in the page's colours, which are readable on light and on dark. Brackets have none: where everything is selected and typed over, the browser
 * would carry the style of the first letter on as an inline one, which the content policy forbids.
 */
const words = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--busy)' },
])

/** The page's own colours; custom properties reach into the shadow root. */
const colours = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--surface)', fontSize: '13px', minHeight: '260px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', minHeight: '260px' },
  '.cm-content': { caretColor: 'var(--text)', padding: '8px 0' },
  '.cm-gutters': { color: 'var(--muted)', backgroundColor: 'var(--ground)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': {
    backgroundColor: 'color-mix(in srgb, var(--accent-soft) 45%, transparent)',
  },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--accent-soft)',
  },
  '.cm-tooltip': { color: 'var(--text)', backgroundColor: 'var(--raised)', border: '1px solid var(--line-strong)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { color: 'var(--on-accent)', backgroundColor: 'var(--accent)' },
  '.cm-panels': { color: 'var(--text)', backgroundColor: 'var(--ground)' },
  '.cm-foldPlaceholder': { color: 'var(--muted)', backgroundColor: 'var(--quiet-soft)', border: '0' },
})
