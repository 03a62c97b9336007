import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { openBrowser, openPage, signIn, type WatchedPage } from './browser.js'
import { PlatformFixture } from './platform.js'

/** Longer than any single wait of a set-up, so that the wait that fails says what it has waited for, and not the hook. */
const SET_UP_MS = 180_000

/** Fills the platform's folder and starts it; `atEnd` keeps what has to be closed after the tests. */
export type SetUp<T> = (platform: PlatformFixture, atEnd: AtEnd) => Promise<T>
/** Keeps until the end what has to be closed then. */
export type AtEnd = (close: () => Promise<unknown>) => void

/** What the tests of one `describe` share. Members are there once the set-up is over; asking for one before throws. */
export class Story<T> {
  #platform: PlatformFixture | undefined
  #given: { readonly value: T } | undefined
  #browser: Browser | undefined
  #watched: WatchedPage | undefined
  #isOver = false
  readonly #closers: (() => Promise<unknown>)[] = []

  get platform(): PlatformFixture {
    return present(this.#platform, 'platform')
  }

  /** What the set-up has answered. */
  get given(): T {
    return present(this.#given, 'set-up').value
  }

  get browser(): Browser {
    return present(this.#browser, 'browser')
  }

  /** The page that is signed in as the admin, and what went wrong in it. */
  get watched(): WatchedPage {
    return present(this.#watched, 'signed-in page')
  }

  get page(): Page {
    return this.watched.page
  }

  /** What is opened after the end, because the set-up was given up, is closed at once. */
  readonly atEnd: AtEnd = (close) => {
    if (this.#isOver) void close()
    else this.#closers.push(close)
  }

  async begin(setUp: SetUp<T>): Promise<void> {
    const platform = await PlatformFixture.prepare()
    this.atEnd(() => platform.remove())
    this.#platform = platform
    this.#given = { value: await setUp(platform, this.atEnd) }
  }

  async openBrowser(): Promise<void> {
    const browser = await openBrowser()
    if (this.#isOver) await browser.close()
    this.#browser = browser
  }

  async signIn(): Promise<void> {
    this.#watched = await openPage(this.browser)
    await signIn(this.page, this.platform.access)
  }

  /** Closes the browser, so that nobody asks servers that end, then everything else, last opened first. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#browser?.close()
    for (const close of this.#closers.reverse()) await close()
  }
}

/** Sets up a platform before the tests of the surrounding `describe`, and clears up after them. */
export function useStory<T>(setUp: SetUp<T>): Story<T> {
  return tell((story) => story.begin(setUp))
}

/** As {@link useStory}, with Chromium beside it. */
export function useBrowserStory<T>(setUp: SetUp<T>): Story<T> {
  return tell(async (story) => {
    await Promise.all([story.begin(setUp), story.openBrowser()])
  })
}

/** As {@link useBrowserStory}, with a page that is signed in as the admin. */
export function useSignedInStory<T>(setUp: SetUp<T>): Story<T> {
  return tell(async (story) => {
    await Promise.all([story.begin(setUp), story.openBrowser()])
    await story.signIn()
  })
}

function tell<T>(begin: (story: Story<T>) => Promise<void>): Story<T> {
  const story = new Story<T>()
  beforeAll(() => begin(story), SET_UP_MS)
  afterAll(() => story.end(), SET_UP_MS)
  return story
}

function present<V>(value: V | undefined, what: string): V {
  if (value === undefined) throw new Error(`the story has no ${what} yet`)
  return value
}
