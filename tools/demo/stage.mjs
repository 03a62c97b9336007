import { inspect } from 'node:util'

const NAME_WIDTH = 13
const TEXT_WIDTH = 78

const colours = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'

/** Marks text with one of Node's colours, on a terminal only. */
export function paint(colour, text) {
  const codes = inspect.colors[colour]
  return colours ? `\u001B[${codes[0]}m${text}\u001B[${codes[1]}m` : text
}

/** Prints a line. */
export function say(text = '') {
  process.stdout.write(`${text}\n`)
}

/** Prints an indented line below an act. */
export function detail(text) {
  say(`${' '.repeat(NAME_WIDTH + 4)}${text}`)
}

/** Milliseconds as a person reads them. */
export function time(ms) {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** Counts the acts, runs each, and prints one line for it: number, name, what came of it, how long it took. */
export function createStage() {
  let count = 0
  return {
    /** `play` answers the line's text, or `{ text, ms, details }` when it measured something itself. */
    async act(name, play) {
      count += 1
      const startedAt = performance.now()
      const waiting = showWaiting(count, name)
      try {
        const result = await play()
        const { text, ms, details = [] } = typeof result === 'string' ? { text: result } : result
        waiting.clear()
        const took = time(ms ?? performance.now() - startedAt)
        say(`${head(count, name)}${text.padEnd(TEXT_WIDTH)} ${paint('gray', took.padStart(7))}`)
        for (const line of details) detail(line)
      } catch (error) {
        waiting.clear()
        say(`${head(count, name)}${paint('red', `failed: ${error.message}`)}`)
        throw new ActFailed(name, error)
      }
    },
  }
}

/** An act did not do what it should; its line has been printed. */
export class ActFailed extends Error {
  constructor(name, cause) {
    super(`the act "${name}" failed: ${cause.message}`, { cause })
  }
}

function head(count, name) {
  return `${paint('gray', String(count).padStart(2))}  ${paint('bold', name.padEnd(NAME_WIDTH))}`
}

function showWaiting(count, name) {
  if (process.stdout.isTTY !== true) return { clear: () => {} }
  process.stdout.write(`${head(count, name)}${paint('gray', '…')}`)
  return { clear: () => process.stdout.write('\r\u001B[2K') }
}
