import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../../i18n/i18n.js'
import type { MountedEditor, Problem } from './json-editor-core.js'

interface Props {
  readonly text: string
  /** The text is put into the editor when this changes, not when the text does: what the person types is there already. */
  readonly origin: symbol
  readonly label: string
  readonly readOnly: boolean
  readonly schema: unknown
  readonly inherited: unknown
  readonly problems: readonly Problem[]
  readonly onChange: (text: string) => void
  readonly onSave: () => void
}

/** A JSON editor with completion and marks at what is wrong. Its code is loaded when the first one is shown. */
export function JsonEditor(props: Props): JSX.Element {
  const host = useRef<HTMLDivElement>(null)
  const editor = useRef<MountedEditor | undefined>(undefined)
  const [ready, setReady] = useState(false)
  const newest = useRef(props)
  newest.current = props
  useEffect(() => {
    let over = false
    const mount = async (): Promise<void> => {
      const { mountEditor } = await import('./json-editor-core.js')
      if (over || host.current === null) return
      const { text, label, readOnly } = newest.current
      editor.current = mountEditor(host.current, {
        text,
        label,
        readOnly,
        knowledge: () => newest.current,
        onChange: (changed) => newest.current.onChange(changed),
        onSave: () => newest.current.onSave(),
      })
      setReady(true)
    }
    void mount()
    return () => {
      over = true
      editor.current?.destroy()
      editor.current = undefined
    }
  }, [])
  useEffect(() => editor.current?.setText(newest.current.text), [ready, props.origin])
  useEffect(() => editor.current?.setReadOnly(props.readOnly), [ready, props.readOnly])
  useEffect(() => editor.current?.setProblems(props.problems), [ready, props.problems, props.text])
  return (
    <div class="editor">
      {ready ? null : <p class="loading">{t('load.loading')}</p>}
      <div ref={host} class="editor-host" />
    </div>
  )
}
