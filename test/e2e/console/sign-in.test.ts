import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describeWithServer, FaultProxy } from '@tributary/testkit'
import type { Page } from 'playwright-core'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { TestProvider } from '../../../services/env-manager/src/adapters/oidc/oidc-provider.test-support.js'
import { accessibilityProblems, CHROMIUM, openPage, type WatchedPage } from '../../support/browser.js'
import { useBrowserStory } from '../../support/console-story.js'
import { GitFixture } from '../../support/git-fixture.js'
import { ROOT, type PlatformFixture } from '../../support/platform.js'
import { tinyService } from '../../support/tiny-service.js'
import { waitFor } from '../../support/wait-for.js'

const CLOCK = pathToFileURL(path.join(ROOT, 'test/support/shifting-clock.mjs')).href
const HOUR_MS = 3_600_000
const isElsewhere = ({ hostname }: URL): boolean => hostname !== 'localhost' && hostname !== '127.0.0.1'

const people = {
  vera: { name: 'Vera Viewer', groups: ['everybody'] },
  dora: { name: 'Dora <script>alert(1)</script>', groups: ['developers', 'everybody'] },
  rita: { name: 'Rita Release', groups: ['release'] },
  paul: { name: 'Paul', groups: ['visitors'] },
}

/** The console at `localhost`, the provider at `127.0.0.1`: two sites, as in real life. */
describeWithServer('people who sign in at a provider, in the browser', CHROMIUM, () => {
  const opened: WatchedPage[] = []

  const story = useBrowserStory(async (platform, atEnd) => {
    // The provider has to know where to send people back to, and the platform who the provider is, before either is there.
    const proxy = await FaultProxy.start(9)
    atEnd(() => proxy.close())
    const publicUrl = `http://localhost:${proxy.port}`
    const provider = await TestProvider.start({ redirectUri: `${publicUrl}/v1/session/oidc/callback`, people })
    atEnd(() => provider.stop())
    const tiny = await GitFixture.create(path.join(platform.directory, 'git'), 'tiny', tinyService('one'))
    await tiny.push('feature/x', tinyService('two'))
    const signIn = {
      publicUrl,
      idleMinutes: 60,
      oidc: {
        issuer: provider.issuer,
        clientId: 'tributary',
        label: 'Example',
        scopes: ['profile', 'groups'],
        roles: {
          claim: 'groups',
          values: { everybody: 'viewer', developers: 'developer', release: 'release-manager' },
        },
      },
    }
    await platform.writeConfig({
      repositories: { tiny: tiny.url },
      settings: { pollSeconds: 1, drainSeconds: 1, signIn },
    })
    await platform.start({ NODE_OPTIONS: `--import=${CLOCK}` })
    proxy.forwardTo(Number(new URL(platform.access.url).port))
    await platform.untilReady('integration')
    await platform.untilReady('feature-x')
    return { provider, publicUrl }
  })
  let platform: PlatformFixture
  let provider: TestProvider
  let url: string
  beforeAll(() => {
    platform = story.platform
    provider = story.given.provider
    url = story.given.publicUrl
  })

  afterEach(async () => {
    const mishaps = opened.flatMap((one) => one.mishaps)
    for (const { context } of opened.splice(0)) await context.close()
    expect(mishaps).toEqual([])
  })

  const open = async (place = ''): Promise<WatchedPage> => {
    const watched = await openPage(story.browser)
    opened.push(watched)
    // The provider's own pages ask for a font of somebody else's.
    await watched.context.route(isElsewhere, (route) => route.abort())
    await watched.page.goto(`${url}/console/${place}`)
    return watched
  }
  const toProvider = async (page: Page) => {
    await page.getByRole('link', { name: 'Sign in with Example' }).click()
    await page.waitForURL(`${provider.issuer}/**`)
  }
  /** Fills in the provider's own pages. */
  const sayWho = async (page: Page, login: keyof typeof people) => {
    await page.locator('input[name="login"]').fill(login)
    await page.locator('input[name="password"]').fill('any')
    await page.locator('button[type="submit"]').click()
    await page.locator('input[name="prompt"][value="consent"]').waitFor({ state: 'attached' })
  }
  const agree = async (page: Page) => page.locator('button[type="submit"]').click()
  const signInAs = async (login: keyof typeof people, place = ''): Promise<WatchedPage> => {
    const watched = await open(place)
    await toProvider(watched.page)
    await sayWho(watched.page, login)
    await agree(watched.page)
    await watched.page.getByRole('button', { name: 'Sign out' }).waitFor()
    return watched
  }
  const failure = async (page: Page): Promise<string> => {
    const alert = page.getByRole('main').getByRole('alert')
    await alert.waitFor()
    return alert.innerText()
  }
  const menuOf = async (page: Page, environment: string) => {
    await page.getByRole('button', { name: `Actions: ${environment}` }).click()
    return page.getByRole('menuitem')
  }
  const isPinned = async (name: string) => (await platform.envManager.getEnvironment(name)).pinned
  /** By the env-manager's own clock, which tests move. */
  const serverTime = async (): Promise<number> => {
    const body = JSON.stringify({ token: platform.access.token })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${platform.access.url}/v1/session`, { method: 'POST', headers, body })
    const { session } = (await answer.json()) as { readonly session: { readonly expiresAt: string } }
    return Date.parse(session.expiresAt) - 24 * HOUR_MS
  }
  const moveClock = async (hours: number) => {
    platform.signal('SIGUSR2')
    await waitFor(`the server's clock to be ${hours} hours ahead`, async () => {
      return Math.abs((await serverTime()) - Date.now() - hours * HOUR_MS) < HOUR_MS / 2
    })
  }

  it('come back to the place that they asked for, as whom the provider knows; a proof goes along and no secret', async () => {
    const { page, context } = await open('#/environments/feature-x/overview')
    const asked = page.waitForRequest((request) => request.url().startsWith(`${provider.issuer}/auth?`))
    await toProvider(page)
    const { searchParams } = new URL((await asked).url())
    expect(searchParams.get('code_challenge_method')).toBe('S256')
    expect(searchParams.get('code_challenge')).toMatch(/^[\w-]{43}$/)
    expect([...searchParams.keys()].filter((key) => /verifier|secret/.test(key))).toEqual([])
    await sayWho(page, 'dora')
    await agree(page)
    await page.getByRole('heading', { name: 'feature-x', level: 1 }).waitFor()
    expect(new URL(page.url()).hash).toBe('#/environments/feature-x/overview')
    await page.getByText(people.dora.name, { exact: true }).waitFor()
    await page.getByText('developer', { exact: true }).waitFor()
    const cookies = (await context.cookies(url)).filter(({ name }) => name.startsWith('tributary'))
    expect(cookies).toMatchObject([{ name: 'tributary-session', httpOnly: true, sameSite: 'Lax' }])
    expect(await page.evaluate('document.cookie + JSON.stringify([localStorage, sessionStorage])')).not.toMatch(
      new RegExp(`tributary-session|${cookies[0]?.value}`),
    )
  })

  it('do as a developer what feature branches take, and read which role the shared environment takes', async () => {
    const { page } = await signInAs('dora')
    await (await menuOf(page, 'feature-x')).filter({ hasText: 'Pin' }).click()
    await page.getByText('Pin feature-x: asked for').waitFor()
    expect(await isPinned('feature-x')).toBe(true)
    const pin = (await menuOf(page, 'integration')).filter({ hasText: 'Pin' })
    expect(await pin.innerText()).toMatch(/A developer may not do this here; it takes a release manager/)
    await page.goto(`${url}/console/#/platform`)
    const log = page.getByRole('region', { name: 'Audit log' })
    await log.getByRole('row').filter({ hasText: 'environment.patch' }).getByText(people.dora.name).waitFor()
  })

  it('see as a viewer every action with its reason; the server refuses what the page does not offer', async () => {
    const { page } = await signInAs('vera')
    const items = await menuOf(page, 'feature-x')
    await items.first().waitFor()
    const texts = await items.allInnerTexts()
    expect(texts.length).toBeGreaterThan(5)
    for (const text of texts) expect(text).toMatch(/A viewer may not do this here; it takes a/)
    expect(await items.and(page.locator('[aria-disabled="true"]')).count()).toBe(texts.length)
    expect(await accessibilityProblems(page)).toEqual([])
    const status = await page.evaluate(`(async () => {
      const { session } = await (await fetch('/v1/session')).json()
      const headers = { 'content-type': 'application/json', 'x-tributary-csrf': session.csrf }
      return (await fetch('/v1/environments/feature-x', { method: 'PATCH', headers, body: '{"pinned":false}' })).status
    })()`)
    expect([status, await isPinned('feature-x')]).toEqual([403, true])
  })

  it('may do as a release manager what the shared environment takes', async () => {
    const { page } = await signInAs('rita')
    await (await menuOf(page, 'integration')).filter({ hasText: 'Pin' }).click()
    await page.getByText('Pin integration: asked for').waitFor()
    expect(await isPinned('integration')).toBe(true)
  })

  it('are told when they have declined, once, and can begin again', async () => {
    const { page } = await open('#/platform')
    await toProvider(page)
    await sayWho(page, 'dora')
    await page.getByRole('link', { name: /cancel/i }).click()
    expect(await failure(page)).toMatch(/did not vouch for anybody/)
    expect(page.url()).not.toContain('signInError')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.reload()
    await page.getByRole('link', { name: 'Sign in with Example' }).waitFor()
    expect(await page.getByRole('main').getByRole('alert').count()).toBe(0)
  })

  it('are told when nothing that the provider says of them gives a role', async () => {
    const { page, context } = await open()
    await toProvider(page)
    await sayWho(page, 'paul')
    await agree(page)
    expect(await failure(page)).toMatch(/nothing that it says of you gives a role here/)
    expect((await context.cookies(url)).map(({ name }) => name)).not.toContain('tributary-session')
  })

  it('are nobody with an answer that another browser has asked for', async () => {
    const mine = await open()
    await toProvider(mine.page)
    await sayWho(mine.page, 'dora')
    const answer = mine.page.waitForRequest((request) => request.url().includes('/v1/session/oidc/callback?'))
    await mine.page.route('**/v1/session/oidc/callback?*', (route) => route.abort())
    await agree(mine.page).catch(() => undefined)
    const stolen = (await answer).url()
    const other = await open()
    await toProvider(other.page)
    await other.page.goto(stolen)
    expect(await failure(other.page)).toMatch(/begun in another browser, or too long ago/)
  })

  it('are asked for a sign-in in every tab once they have signed out in one, and the cookie is worth nothing', async () => {
    const { page, context } = await signInAs('dora', '#/environments/feature-x')
    const [cookie] = (await context.cookies(url)).filter(({ name }) => name === 'tributary-session')
    const second = await context.newPage()
    await second.goto(`${url}/console/`)
    await second.getByRole('button', { name: 'Sign out' }).click()
    await second.getByRole('heading', { name: 'Sign in to Tributary' }).waitFor()
    expect(await second.getByText('Your session has ended').count()).toBe(0)
    await page.bringToFront()
    // What it hears of makes it ask again; it need not wait for its next look.
    await platform.envManager.patchEnvironment('feature-x', { pinned: false })
    await page.getByText('Your session has ended').waitFor({ timeout: 45_000 })
    expect(await page.getByRole('heading', { name: 'feature-x' }).count()).toBe(0)
    const headers = { cookie: `tributary-session=${cookie?.value}` }
    expect((await fetch(`${platform.access.url}/v1/environments`, { headers })).status).toBe(401)
  })

  it('are told when they took too long at the provider', async () => {
    const { page } = await open()
    await toProvider(page)
    await sayWho(page, 'dora')
    await moveClock(6)
    await agree(page)
    expect(await failure(page)).toMatch(/too long ago/)
    await moveClock(-6)
    await moveClock(0)
  })

  it('go on with what they were writing after a session that has ended meanwhile', async () => {
    const { page } = await signInAs('dora', '#/config/feature-x/tiny')
    const editor = page.getByRole('textbox', { name: 'JSON of the document' })
    await editor.click()
    await page.keyboard.press('Control+a')
    await page.keyboard.insertText('{ "greeting": "half writ')
    await page.getByText('Unsaved changes').waitFor()
    await moveClock(6)
    await platform.envManager.patchEnvironment('feature-x', { pinned: true })
    await page.getByText('Your session has ended. Sign in again to go on where you were.').waitFor({ timeout: 45_000 })
    expect(await accessibilityProblems(page)).toEqual([])
    // The provider's clock was never moved, and what it signs holds for minutes.
    await moveClock(-6)
    await moveClock(0)
    await page.getByRole('link', { name: 'Sign in with Example' }).click()
    await page.getByText('Unsaved changes').waitFor()
    expect(await editor.innerText()).toBe('{ "greeting": "half writ')
    expect(new URL(page.url()).hash).toBe('#/config/feature-x/tiny')
    await page.getByRole('button', { name: 'Discard' }).click()
    await page.getByText('Unsaved changes').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in to Tributary' }).waitFor()
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
  })
})
