import type { LogLine } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useEventStream } from '../data/use-event-stream.js'
import { formatTime, t, tn } from '../i18n/i18n.js'
import type { MessageKey } from '../i18n/en.js'
import { Check, SearchBox } from './field.js'
import { LogBuffer } from './log-buffer.js'
import { rowsInWindow } from './rows-in-window.js'

const LINE_HEIGHT = 18

interface Props {
  /** Of the stream with its `log` events. */
  readonly path: string
  /** Only lines of this source. */
  readonly source?: string | undefined
  readonly dropped: MessageKey
  readonly id?: string
  readonly onRun?: (run: unknown) => void
}

/**
 * A log as it grows. The page keeps the newest lines up to a limit and draws only those in the window, so that a log of any size costs the
 * same. Lines are text: nothing in them is ever taken for markup.
 */
export function LogView({ path, source, dropped, id = '', onRun }: Props): JSX.Element {
  const { buffer, version, open } = useLog(path, onRun)
  const [text, setText] = useState('')
  const [follow, setFollow] = useState(true)
  const lines = useMemo(() => buffer.select({ source, text }), [version, source, text])
  return (
    <section class="log">
      <div class="log-tools">
        <SearchBox label={t('log.search')} value={text} onInput={setText} />
        <Check label={t('log.follow')} checked={follow} onChange={setFollow} />
        <span class="muted small" role="status">
          {text === '' ? tn('log.lines', lines.length) : t('log.matches', { n: lines.length })}
        </span>
      </div>
      {buffer.dropped > 0 ? <p class="note tone-warn small">{t(dropped, { n: buffer.dropped, id })}</p> : null}
      {open ? null : (
        <p class="note tone-warn small" role="status">
          {t('log.cut')}
        </p>
      )}
      <LogWindow lines={lines} follow={follow} onLeave={() => setFollow(false)} />
    </section>
  )
}

/** Gathers lines and shows them once a frame, however fast they come. */
function useLog(
  path: string,
  onRun: ((run: unknown) => void) | undefined,
): { readonly buffer: LogBuffer; readonly version: number; readonly open: boolean } {
  const buffer = useMemo(() => new LogBuffer(), [path])
  const [version, setVersion] = useState(0)
  const [open, setOpen] = useState(true)
  const pending = useRef(0)
  const show = (): void => {
    if (pending.current !== 0) return
    pending.current = requestAnimationFrame(() => {
      pending.current = 0
      setVersion((before) => before + 1)
    })
  }
  useEffect(() => () => cancelAnimationFrame(pending.current), [])
  useEventStream(path, {
    events: {
      log: (data) => {
        buffer.add(data as LogLine)
        show()
      },
      run: (data) => onRun?.(data),
    },
    onState: setOpen,
    onRestart: () => {
      buffer.clear()
      show()
    },
  })
  return { buffer, version, open }
}

function LogWindow(props: {
  readonly lines: readonly LogLine[]
  readonly follow: boolean
  readonly onLeave: () => void
}): JSX.Element {
  const { lines, follow } = props
  const element = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  useEffect(() => {
    if (follow && element.current !== null) element.current.scrollTop = element.current.scrollHeight
  }, [lines, follow])
  const height = element.current?.clientHeight ?? 400
  const { first, end } = rowsInWindow({ count: lines.length, rowHeight: LINE_HEIGHT, height, scrolledTo: top })
  const shown = lines.slice(first, end)
  if (lines.length === 0) return <p class="log-empty muted">{t('log.empty')}</p>
  return (
    <div
      class="log-window"
      ref={element}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label={t('run.log')}
      onWheel={(event) => {
        if (event.deltaY < 0) props.onLeave()
      }}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <div class="log-all" style={{ height: `${lines.length * LINE_HEIGHT}px` }}>
        <div class="log-shown" style={{ transform: `translateY(${first * LINE_HEIGHT}px)` }}>
          {shown.map((line, index) => (
            <div key={first + index} class="log-line">
              <time dateTime={line.at}>{formatTime(line.at)}</time>
              <span class="log-source">{line.source}</span>
              <span class="log-text">{line.text}</span>
            </div>
          ))}
        </div>
      </div>
    </div>
  )
}
