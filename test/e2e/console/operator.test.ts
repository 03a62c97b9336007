import { describeWithServer } from '@tributary/testkit'
import type { Page } from 'playwright-core'
import { beforeAll, expect, it } from 'vitest'
import { accessibilityProblems, CHROMIUM, openPage, signIn, type WatchedPage } from '../../support/browser.js'
import { useSignedInStory } from '../../support/console-story.js'
import { startConsoleWorld, withButtons } from '../../support/console-world.js'
import { pooledPayments } from '../../support/pooled-payments.js'
import { waitFor } from '../../support/wait-for.js'

const NAME = 'feature-night-shift'
const DAY_MS = 86_400_000
const HOSTILE = '<img src=x onerror=alert(1)><script>alert(2)</script>'
/** More than a pass may remove without a question. */
const DOOMED = Array.from({ length: 7 }, (_, index) => `feature/doomed-${index + 1}`)
const DOOMED_NAMES = DOOMED.map((branch) => branch.replace('/', '-'))

describeWithServer('whoever runs the platform, in the browser', CHROMIUM, () => {
  const story = useSignedInStory(async (platform) => {
    const world = await startConsoleWorld(platform)
    await world.shop.push('feature/night-shift', withButtons('pay', 'night'), { message: HOSTILE })
    await world.shop.branchOff(DOOMED)
    const { token } = await platform.configCenter.createToken({ name: `viewer ${HOSTILE}`, role: 'viewer' })
    await platform.untilReady(NAME)
    for (const name of DOOMED_NAMES) await platform.untilReady(name)
    return { ...world, viewerToken: token }
  })
  let page: Page
  let viewer: WatchedPage
  beforeAll(async () => {
    page = story.page
    viewer = await openPage(story.browser)
    await signIn(viewer.page, { url: story.platform.access.url, token: story.given.viewerToken })
  })

  const environment = () => story.platform.envManager.getEnvironment(NAME)
  const row = () => page.getByRole('row').filter({ has: page.getByRole('link', { name: NAME, exact: true }) })
  const choose = async (action: RegExp) => {
    await page.getByRole('button', { name: `Actions: ${NAME}` }).click()
    await page.getByRole('menuitem', { name: action }).click()
  }
  const confirm = (verb: string) => page.getByRole('dialog').getByRole('button', { name: verb, exact: true }).click()
  const frozen = async () => (await story.platform.envManager.getStatus()).frozen

  it('pins an environment, which then has no end, and lets it end again', async () => {
    await choose(/^Pin/)
    await row().getByText('Pinned').waitFor()
    expect((await environment()).pinned).toBe(true)
    await page.getByRole('button', { name: `Actions: ${NAME}` }).click()
    expect(await page.getByRole('menuitem', { name: /^Extend/ }).innerText()).toContain('It is pinned')
    await page.keyboard.press('Escape')
    await choose(/^Unpin/)
    await row()
      .getByText(/Expires in/)
      .waitFor()
    expect((await environment()).pinned).toBe(false)
  })

  it('extends it by what is chosen, and changes nothing when the question is taken back', async () => {
    const before = (await environment()).expiresAt
    await choose(/^Extend/)
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    expect((await environment()).expiresAt).toBe(before)
    await choose(/^Extend/)
    await page.getByRole('combobox', { name: 'How long shall it live from now on?' }).selectOption('30 days')
    expect(await accessibilityProblems(page)).toEqual([])
    await confirm('Extend')
    const wanted = Date.now() + 30 * DAY_MS
    await waitFor('the new end', async () => {
      return Math.abs(Date.parse((await environment()).expiresAt ?? '') - wanted) < DAY_MS / 2
    })
    await row()
      .getByText(/Expires in (30|29) d/)
      .waitFor()
  })

  it('puts it to sleep after a question, sees calls fall back, and wakes it', async () => {
    await choose(/^Put to sleep/)
    await page
      .getByRole('dialog')
      .getByText(/stop until somebody calls it or wakes it/)
      .waitFor()
    await confirm('Put to sleep')
    await row().getByText('Asleep').waitFor({ timeout: 30_000 })
    await page.goto(`${story.platform.access.url}/console/#/environments/${NAME}`)
    await page.getByRole('button', { name: /^orders, inherited from integration/ }).waitFor()
    await page.getByRole('button', { name: 'Actions' }).first().click()
    await page.getByRole('menuitem', { name: /^Wake/ }).click()
    await confirm('Wake')
    await page.getByRole('button', { name: /^orders, own, Healthy/ }).waitFor({ timeout: 30_000 })
  })

  it('redeploys it: its services start anew at the same commit', async () => {
    const before = await environment()
    await page.getByRole('button', { name: 'Actions' }).first().click()
    await page.getByRole('menuitem', { name: /^Redeploy/ }).click()
    await page
      .getByRole('dialog')
      .getByText(/calls fall back meanwhile/)
      .waitFor()
    await confirm('Redeploy')
    await waitFor('a new run to have ended well', async () => {
      const now = await environment()
      return now.lastRunId !== before.lastRunId && now.phase === 'ready'
    })
    expect((await environment()).services[0]?.deployedCommit).toBe(before.services[0]?.deployedCommit)
  })

  it('sees a leak in the drawing, in the list below and beside the call, and which hop loses the environment', async () => {
    const { platform, given } = story
    const commit = await given.payments.push('main', { 'server.mjs': await pooledPayments() })
    await platform.untilReady('integration', { payments: commit })
    await waitFor('the leak to be reported', async () => {
      await platform.get(NAME, '/payments/quote?amount=10')
      return (await platform.envManager.getTopology(NAME)).leaks.length > 0
    })
    await page.goto(`${platform.access.url}/console/#/environments/${NAME}`)
    const leaks = page.locator('section', { has: page.getByRole('heading', { name: /leaks?$/ }) })
    await leaks.getByText(new RegExp(`Calls that lost ${NAME} on the way`)).waitFor()
    await page
      .locator('.node', { has: page.locator('[data-node="payments"]') })
      .locator('.mark-leak')
      .waitFor()
    await leaks
      .getByRole('button', { name: /payments → orders/ })
      .first()
      .click()
    const panel = page.getByRole('complementary', { name: 'payments calls orders' })
    await panel
      .getByText(/payments → orders: .*(dropped the environment|went to the wrong copy)/)
      .first()
      .waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Follow a call' }).click()
    const follow = page.getByRole('complementary', { name: 'Follow a call' })
    await follow.getByRole('combobox', { name: 'From' }).selectOption('payments')
    await follow.getByRole('combobox', { name: 'To' }).selectOption('orders')
    await follow.getByText('If the context were lost here, integration would answer.').waitFor()
  })

  it('is asked before many environments go at once; a viewer reads why, and may not answer', async () => {
    await story.given.shop.deleteAll(DOOMED)
    const { reason } = await waitFor('the pass to stop', async () => (await frozen()) ?? undefined)
    expect(reason).toContain('would remove 7 of')
    for (const { page } of [story.watched, viewer]) {
      await page.goto(`${story.platform.access.url}/console/#/platform`)
      const card = page.getByRole('region', { name: 'Mass-deletion breaker' })
      await card.getByText(reason).waitFor()
      for (const name of DOOMED_NAMES) await card.getByRole('link', { name, exact: true }).waitFor()
    }
    const refused = viewer.page.getByRole('button', { name: /Approve these deletions/ })
    expect(await refused.getAttribute('aria-disabled')).toBe('true')
    expect(await refused.getAttribute('title')).toMatch(/A viewer may not do this here; it takes a release manager/)
    await refused.click({ force: true })
    expect(await viewer.page.getByRole('dialog').count()).toBe(0)
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('approves exactly these, and they go', async () => {
    await page.getByRole('button', { name: /Approve these deletions/ }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete exactly these 7 environments?' })
    expect(await dialog.getByRole('listitem').allInnerTexts()).toEqual(DOOMED_NAMES)
    await confirm('Approve these deletions')
    await page.getByText('Closed: deletions go through.').waitFor({ timeout: 30_000 })
    for (const name of DOOMED_NAMES) await story.platform.untilGone(name)
    expect((await environment()).phase).toBe('ready')
  })

  it('edits a document while somebody else does: whoever saves second sees both, and decides', async () => {
    const { access, configCenter } = story.platform
    const { token } = await configCenter.createToken({ name: 'second person', role: 'deployer' })
    const second = await openPage(story.browser)
    await signIn(second.page, { url: access.url, token })
    const write = async (of: Page, text: string) => {
      await of.goto(`${access.url}/console/#/config/integration/orders`)
      await of.getByRole('textbox', { name: 'JSON of the document' }).click()
      await of.keyboard.press('Control+a')
      await of.keyboard.insertText(text)
    }
    const save = async (of: Page, reason: string) => {
      await of.getByRole('button', { name: 'Review and save' }).click()
      await of.getByLabel('Why (kept in the history)').fill(reason)
      await of.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click()
      await of.getByText(/Saved at store revision/).waitFor()
    }
    await write(page, '{ "pageSize": 3, "discountPercent": 0, "mine": true }')
    await write(second.page, '{ "pageSize": 4, "discountPercent": 0, "theirs": true }')
    await save(page, `first ${HOSTILE}`)
    await second.page.getByText(/Somebody has saved revision \d+ meanwhile/).waitFor()
    await second.page.getByRole('button', { name: 'Review and save' }).click()
    const dialog = second.page.getByRole('dialog')
    await dialog.getByText('1 value was changed by both: choose one').first().waitFor()
    await dialog.getByRole('radio', { name: /Yours/ }).check()
    await dialog.getByRole('button', { name: 'Continue with the merge' }).click()
    await save(second.page, 'second')
    const { data } = await configCenter.getDocument({ tenant: 'integration', service: 'orders' })
    expect(data).toEqual({ pageSize: 4, discountPercent: 0, mine: true, theirs: true })
    await page.getByRole('button', { name: 'History' }).click()
    await page.getByText(`first ${HOSTILE}`).waitFor()
    expect(second.mishaps).toEqual([])
  })

  it('finds in the audit log who did what, by names that would like to be scripts', async () => {
    await page.goto(`${story.platform.access.url}/console/#/platform`)
    const log = page.getByRole('region', { name: 'Audit log' })
    await log.getByRole('row').filter({ hasText: 'environment.sleep' }).first().waitFor()
    await log.getByRole('row').filter({ hasText: 'session.sign-in' }).getByText(`viewer ${HOSTILE}`).first().waitFor()
  })

  it('has seen no script run that somebody else has written', () => {
    expect([...story.watched.mishaps, ...viewer.mishaps]).toEqual([])
  })
})
