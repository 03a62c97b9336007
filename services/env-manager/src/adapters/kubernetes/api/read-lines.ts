import type { IncomingMessage } from 'node:http'

/**
 * Lines of an answer as they come, without their ends; a last one without an end too. Rejects when the connection breaks before the answer is complete:
 * readline would end in silence then, and leave the answer's error to nobody.
 */
export async function* readLines(answer: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  answer.setEncoding('utf8')
  for await (const chunk of answer) {
    const lines = `${rest}${String(chunk)}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
  if (rest !== '') yield rest
}
