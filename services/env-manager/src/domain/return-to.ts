/** Where people come back to after signing in, when nothing else was asked for. */
export const CONSOLE_PATH = '/console/'

const NOWHERE = 'http://nowhere.invalid'
const MAX_LENGTH = 1_000

/**
 * A place within the console, from what a link asked for: never another origin, whatever it looks like to a browser. What is not one becomes
 * the console's first page.
 */
export function safeReturnTo(asked: string | undefined): string {
  if (
    asked === undefined ||
    asked.length > MAX_LENGTH ||
    !asked.startsWith(CONSOLE_PATH) ||
    !URL.canParse(asked, NOWHERE)
  ) {
    return CONSOLE_PATH
  }
  const { origin, pathname, search, hash } = new URL(asked, NOWHERE)
  return origin === NOWHERE && pathname.startsWith(CONSOLE_PATH) ? `${pathname}${search}${hash}` : CONSOLE_PATH
}
