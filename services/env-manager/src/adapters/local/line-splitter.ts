import { StringDecoder } from 'node:string_decoder'

const MAX_LINE_CHARACTERS = 16_384

/** Cuts a stream of UTF-8 bytes into lines; a line that does not end is cut at a bound, so that memory is bounded too. */
export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8')
  private rest = ''

  /** Lines that are complete with these bytes, without their line ends. */
  push(bytes: Buffer): string[] {
    const lines = (this.rest + this.decoder.write(bytes)).split(/\r?\n/)
    this.rest = lines.pop() ?? ''
    if (this.rest.length > MAX_LINE_CHARACTERS) {
      lines.push(this.rest)
      this.rest = ''
    }
    return lines.map((line) => line.slice(0, MAX_LINE_CHARACTERS))
  }

  /** What came after the last line end, if anything. */
  end(): string[] {
    const last = this.rest + this.decoder.end()
    this.rest = ''
    return last === '' ? [] : [last]
  }
}

/** Lines of a whole text's bytes. */
export function splitLines(bytes: Buffer): string[] {
  const splitter = new LineSplitter()
  return [...splitter.push(bytes), ...splitter.end()]
}
