import type { Browser, Page } from 'playwright-core'
import { within } from './bounded.js'

/** A page of its own in the browser, whose frames are noted. */
export interface WatchedPage {
  readonly page: Page
  /** Milliseconds from the address to the frame in which `count` elements stood there. */
  readonly standsAt: () => Promise<number>
  /** Forgets the frames that were noted. */
  readonly forgetFrames: () => Promise<void>
  /** Milliseconds from each frame to the next since then. */
  readonly frames: () => Promise<readonly number[]>
  readonly close: () => Promise<void>
}

/** What stands when a page has been drawn: as many elements of a selector, at least. */
export interface Standing {
  readonly selector: string
  readonly count: number
}

/** Opens an address in a context of its own, that nothing is kept from another one. */
export async function openWatched(browser: Browser, address: string, standing: Standing): Promise<WatchedPage> {
  const watched = await openEmpty(browser, standing)
  await within(`the page at ${address}`, watched.page.goto(address))
  return watched
}

/** A page that nothing has been opened in yet. */
export async function openEmpty(browser: Browser, standing: Standing): Promise<WatchedPage> {
  const context = await within('a browser context', browser.newContext({ viewport: { width: 1440, height: 900 } }))
  const page = await within('a page', context.newPage())
  await page.addInitScript({ content: watcherOf(standing) })
  // Not `waitForFunction`: it evaluates text within the page, which its content policy forbids.
  const { selector, count } = standing
  return {
    page,
    standsAt: async () => Number(await within(`${count} x ${selector}`, page.evaluate(STANDS_AT))),
    forgetFrames: async () => {
      await within('the page’s answer', page.evaluate('watched.frames.length = 0'))
    },
    frames: async () => numbersOf(await within('the page’s frames', page.evaluate('watched.frames'))),
    close: () => within('the end of a browser context', context.close()),
  }
}

const STANDS_AT = `new Promise((resolve) => {
  const look = () => (watched.standsAt === undefined ? requestAnimationFrame(look) : resolve(watched.standsAt));
  look();
})`

function watcherOf({ selector, count }: Standing): string {
  return `
    window.watched = { frames: [], standsAt: undefined };
    let last;
    const tick = (now) => {
      if (watched.standsAt === undefined && document.querySelectorAll(${JSON.stringify(selector)}).length >= ${count}) watched.standsAt = performance.now();
      if (last !== undefined) watched.frames.push(now - last);
      last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  `
}

function numbersOf(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : []
}
