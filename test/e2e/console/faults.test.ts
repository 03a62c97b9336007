import { describeWithServer, FaultProxy } from '@tributary/testkit'
import { beforeAll, expect, it } from 'vitest'
import { accessibilityProblems, CHROMIUM, openPage, signIn } from '../../support/browser.js'
import { useBrowserStory } from '../../support/console-story.js'
import { startConsoleWorld } from '../../support/console-world.js'

describeWithServer('the console when something is wrong', CHROMIUM, () => {
  const story = useBrowserStory(async (platform, atEnd) => {
    await startConsoleWorld(platform)
    const proxy = await FaultProxy.start(Number(new URL(platform.access.url).port))
    atEnd(() => proxy.close())
    return { proxy }
  })
  let proxy: FaultProxy
  let url: string
  beforeAll(() => {
    proxy = story.given.proxy
    url = `http://127.0.0.1:${proxy.port}`
  })

  it('keeps what it has read while the API is down, says since when, and recovers alone', async () => {
    const { page, mishaps, context } = await openPage(story.browser)
    await signIn(page, { url, token: story.platform.access.token })
    await page.getByRole('link', { name: 'integration', exact: true }).waitFor()
    proxy.refuse()
    await page.getByRole('alert').getByText('The API does not answer').waitFor()
    await page.getByText(/Read .*; it may be out of date/).waitFor()
    await page.getByRole('link', { name: 'integration', exact: true }).waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
    proxy.accept()
    await page.getByRole('alert').waitFor({ state: 'detached' })
    await page.getByText(/it may be out of date/).waitFor({ state: 'detached' })
    await page.getByText('Live', { exact: true }).first().waitFor()
    expect(mishaps).toEqual([])
    await context.close()
  })

  it('goes on with the topology after the stream was cut', async () => {
    const { page, context } = await openPage(story.browser)
    await signIn(page, { url, token: story.platform.access.token })
    await page.goto(`${url}/console/#/environments/integration`)
    await page.getByRole('button', { name: /^orders, own/ }).waitFor()
    proxy.cut()
    await story.platform.configCenter.maskEntry({ tenant: 'integration', service: 'payments' })
    await page.getByRole('button', { name: /^payments, masked/ }).waitFor()
    await context.close()
  })

  it('shows a viewer what can be done, disabled, and says which role it takes', async () => {
    const { token } = await story.platform.configCenter.createToken({ name: 'tester', role: 'viewer' })
    const { page, context } = await openPage(story.browser)
    await signIn(page, { url, token })
    await page.getByRole('button', { name: 'Actions: integration' }).click()
    const pin = page.getByRole('menuitem', { name: /Pin/ })
    expect(await pin.getAttribute('aria-disabled')).toBe('true')
    expect(await pin.innerText()).toMatch(/A viewer may not do this here; it takes a release manager/)
    // By force: what is disabled for assistive technology is not waited for to be enabled.
    await pin.click({ force: true })
    expect((await story.platform.envManager.getEnvironment('integration')).pinned).toBe(false)
    await page.goto(`${url}/console/#/config/integration/orders`)
    const save = page.getByRole('button', { name: 'Review and save' })
    await save.waitFor()
    expect(await save.getAttribute('title')).toMatch(/A viewer may not do this/)
    await context.close()
  })

  it('tells a wrong token in one sentence, and what to do', async () => {
    const { page, context } = await openPage(story.browser)
    await page.goto(`${url}/console/`)
    await page.getByLabel('Token', { exact: true }).fill('not-a-token')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    const told = await page.getByRole('alert').innerText()
    expect(told.trim()).toMatch(
      /^This token is unknown, revoked or expired: [^.:]* ask an administrator for a new one\.$/,
    )
    expect(await accessibilityProblems(page)).toEqual([])
    await context.close()
  })

  it('asks for a sign-in when the session has ended elsewhere', async () => {
    const { page, context } = await openPage(story.browser)
    await signIn(page, { url, token: story.platform.access.token })
    await context.clearCookies()
    await page.getByRole('heading', { name: 'Sign in to Tributary' }).waitFor()
    await context.close()
  })

  it('says that an environment is not there, and stays usable', async () => {
    const { page, context } = await openPage(story.browser)
    await signIn(page, { url, token: story.platform.access.token })
    await page.goto(`${url}/console/#/environments/no-such-environment`)
    await page.getByText('There is no such thing').waitFor()
    await page.getByRole('link', { name: 'Environments' }).first().click()
    await page.getByRole('link', { name: 'integration', exact: true }).waitFor()
    await context.close()
  })
})
