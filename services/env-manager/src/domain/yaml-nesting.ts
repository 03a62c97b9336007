import { Lexer, Parser } from 'yaml'

/** How deep collections may stand in one another in a YAML file. */
export const MAX_YAML_NESTING = 100

/** Of the parser's stack beside the collections: the document, and a scalar. */
const OTHER_TOKENS = 2

/**
 * Whether collections are nested deeper than {@link MAX_YAML_NESTING}, in any style. To be asked before text of hostile origin is
 * composed: the composer recurses, and where the stack ends within a regular expression node does not throw, it ends the process.
 */
export function isNestedTooDeeply(text: string): boolean {
  const parser = new Parser()
  for (const lexeme of new Lexer().lex(text)) {
    // A generator does its work as it is read; the finished documents that it gives are of no use here.
    Array.from(parser.next(lexeme))
    if (parser.stack.length > MAX_YAML_NESTING + OTHER_TOKENS) return true
  }
  return false
}
