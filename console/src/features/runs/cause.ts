/** A line of a log, and how many times it came in a row. */
export interface RepeatedLine {
  readonly text: string
  readonly times: number
}

/** Why a run failed, as it is told: in one sentence, and by the lines that led to it. */
export interface Cause {
  readonly headline: string
  readonly lines: readonly RepeatedLine[]
}

/** Words with which a message begins to quote a log. */
const QUOTES = /[.;:]?\s*its last lines:\s*$/i
/** With which a step's log ends. */
const FAILED = /^failed: /

/** The sentence of a message, without the log that it quotes. */
export function headlineOf(message: string): string {
  const [first = ''] = message.split('\n')
  return first.replace(QUOTES, '')
}

/**
 * Takes a message and the last lines of a log apart, so that nothing is told twice: the log repeats the message, and the message quotes the
 * log. Lines that came several times in a row are one with their number.
 */
export function causeOf(message: string, log: readonly string[]): Cause {
  const quoted = message.split('\n').slice(1)
  const told = new Set(message.split('\n').map(bare))
  const before = log.flatMap((text) => text.split('\n')).filter((line) => !told.has(bare(line)))
  const lines = [...before, ...quoted].filter((line) => line.trim() !== '' && bare(line) !== headlineOf(message))
  return { headline: headlineOf(message), lines: gathered(lines) }
}

function bare(line: string): string {
  return line.replace(FAILED, '').replace(QUOTES, '').trim()
}

function gathered(lines: readonly string[]): readonly RepeatedLine[] {
  const rows: { text: string; times: number }[] = []
  for (const text of lines) {
    const last = rows.at(-1)
    if (last?.text === text) last.times += 1
    else rows.push({ text, times: 1 })
  }
  return rows
}
