import { describeWithServer } from '@tributary/testkit'
import type { Page } from 'playwright-core'
import { beforeAll, expect, it } from 'vitest'
import { accessibilityProblems, CHROMIUM } from '../../support/browser.js'
import { useSignedInStory } from '../../support/console-story.js'
import { BROKEN_ORDERS, startConsoleWorld, withButtons } from '../../support/console-world.js'
import { waitFor } from '../../support/wait-for.js'

const HOSTILE = 'feature/<script>alert(1)</script>'

describeWithServer('a tester in the browser', CHROMIUM, () => {
  const story = useSignedInStory(async (platform) => {
    const { shop } = await startConsoleWorld(platform)
    const first = await shop.push('feature/add-button', withButtons('pay', 'gift'))
    await platform.untilReady('feature-add-button', { orders: first })
    const second = await shop.push('feature/add-button', withButtons('pay', 'gift', 'share'))
    await shop.push('feature/broken', BROKEN_ORDERS)
    await shop.push(HOSTILE, {
      ...withButtons('pay', 'x'),
      'tributary.yaml': 'apiVersion: tributary/v1\nkind: Environment\nmask: [inventory]\n',
    })
    await platform.untilReady('feature-add-button', { orders: second })
    await waitFor('the broken branch to fail', async () => {
      return (await platform.envManager.getEnvironment('feature-broken')).phase === 'failed'
    })
    return { commits: { first, second } }
  })
  let page: Page
  beforeAll(() => {
    page = story.page
  })

  const row = (name: string) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) })
  const node = (name: RegExp) => page.locator('[data-node]').and(page.getByRole('button', { name }))

  it('sees in the list which environments there are and how they do', async () => {
    await row('feature-add-button').getByText('Ready').waitFor()
    await row('feature-broken').getByText('Failed', { exact: true }).waitFor()
    expect(await row('feature-add-button').getByRole('cell').nth(2).innerText()).toBe('orders')
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('finds the branch and opens its topology', async () => {
    await page.getByRole('searchbox', { name: /Search name/ }).fill('add-button')
    await page.getByText('1 of 4 environments').waitFor()
    await row('feature-add-button').getByRole('link', { name: 'feature-add-button', exact: true }).click()
    await node(/^orders, own, Healthy/).waitFor()
    for (const service of ['web', 'inventory', 'payments']) {
      await node(new RegExp(`^${service}, inherited from integration, Healthy`)).waitFor()
    }
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('sees calls in the drawing soon after they were made', async () => {
    await story.platform.get('feature-add-button', '/orders/orders')
    await page
      .locator('.edge-label')
      .filter({ hasText: /calls?|\/s/ })
      .first()
      .waitFor()
  })

  it('opens a service: version, commit, address, and who sets each value of its config', async () => {
    await node(/^orders, own/).click()
    const panel = page.getByRole('complementary', { name: 'orders' })
    await panel.getByText(/feature-add-button has its own orders/).waitFor()
    expect(await panel.innerText()).toContain(story.given.commits.second.slice(0, 8))
    await panel.getByRole('button', { name: 'Config', exact: true }).click()
    await panel.getByText('integration/orders').first().waitFor()
    await panel.getByRole('button', { name: /pageSize/ }).click()
    await panel.getByText('wins').waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('reads the log of a service, its own and one that answers from integration', async () => {
    await node(/^payments, inherited/).click()
    const panel = page.getByRole('complementary', { name: 'payments' })
    await panel.getByRole('button', { name: 'Logs' }).click()
    await panel.getByText(/not deployed here but in integration/).waitFor()
    await node(/^orders, own/).click()
    await page.getByRole('log').getByText('orders sells buttons: pay,gift,share').waitFor()
  })

  it('follows a call and is told at each hop who answers and why', async () => {
    await page.getByRole('button', { name: 'Follow a call' }).click()
    const panel = page.getByRole('complementary', { name: 'Follow a call' })
    await panel.getByRole('combobox', { name: 'From' }).selectOption('web')
    await panel.getByRole('combobox', { name: 'To' }).selectOption('payments')
    const hops = panel.getByRole('listitem').filter({ hasText: 'Hop' })
    await hops.nth(2).getByText('integration answers').waitFor()
    expect(await hops.nth(1).innerText()).toMatch(/feature-add-button answers/)
    expect(await hops.nth(1).innerText()).toMatch(/integration would answer/)
    expect(await page.locator('.node.is-step').count()).toBe(3)
    await panel.getByRole('button', { name: 'Send a real probe' }).click()
    await panel.getByText('Every call carries feature-add-button.').waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('compares with integration: only the branch’s own service differs', async () => {
    await page.getByRole('button', { name: 'Difference' }).click()
    const panel = page.getByRole('complementary', { name: 'Difference' })
    await panel.getByText('1 service differs').waitFor()
    expect(await page.locator('.node.is-changed').count()).toBe(1)
    expect(await panel.innerText()).toContain(story.given.commits.second.slice(0, 8))
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('goes through the drawing with the keyboard alone', async () => {
    await page.getByRole('button', { name: 'Now', exact: true }).click()
    await page.locator('[data-node][tabindex="0"]').focus()
    const before = await page.evaluate('document.activeElement.getAttribute("data-node")')
    await page.keyboard.press('ArrowRight')
    const after = await page.evaluate('document.activeElement.getAttribute("data-node")')
    expect(after).not.toBe(before)
    await page.keyboard.press('Enter')
    await page.getByRole('complementary', { name: String(after) }).waitFor()
  })

  it('sees the cause of a failing run before anything else', async () => {
    await page.getByRole('link', { name: 'Runs', exact: true }).first().click()
    await page
      .getByRole('row')
      .filter({ hasText: 'feature-broken' })
      .getByRole('link', { name: 'Deploy' })
      .first()
      .click()
    const cause = page.getByRole('region', { name: 'Why it failed' })
    await cause.getByText(/orders in feature-broken does not stay up/).waitFor()
    expect(await cause.innerText()).toContain('ECONNREFUSED db.internal:5432 <img src=x onerror=alert(1)>')
    await page.getByRole('button', { name: /wait-healthy.*Failed/ }).click()
    await page.getByRole('log').getByText('ECONNREFUSED').first().waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('rolls the service back to the run before, and sees the old version answer', async () => {
    await page.getByRole('link', { name: 'Environments', exact: true }).first().click()
    await page.getByRole('button', { name: 'Actions: feature-add-button' }).click()
    await page.getByRole('menuitem', { name: /Roll back/ }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
    await page.getByText('Roll back: asked for').waitFor()
    await story.platform.untilReady('feature-add-button', { orders: story.given.commits.first })
    await row('feature-add-button').getByText('Ready').waitFor()
    const answer = await story.platform.get<{ buttons: string[] }>('feature-add-button', '/orders/orders')
    expect(answer.buttons).toEqual(['pay', 'gift'])
  })

  it('sees what a mask hides, by more than colour', async () => {
    const { environments } = await story.platform.envManager.listEnvironments()
    const name = environments.find(({ branch }) => branch === HOSTILE)?.name ?? ''
    await page.goto(`${story.platform.access.url}/console/#/environments/${name}`)
    await page.getByRole('button', { name: /^inventory, masked/ }).waitFor()
    expect(await page.locator('.graph-svg .node-masked .node-hatch').count()).toBe(1)
  })

  it('finds an accessible overview, platform and config page in both languages and on a phone', async () => {
    const { url } = story.platform.access
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 844 })
      for (const place of [
        'environments',
        'environments/feature-add-button/overview',
        'environments/feature-add-button?list=yes',
        'runs',
        'config/integration/orders',
        'platform',
      ]) {
        await page.goto(`${url}/console/#/${place}`)
        await page.locator('main h1, main h2').first().waitFor()
        expect(await accessibilityProblems(page), `${place} at ${width}`).toEqual([])
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
        expect(overflow, `${place} at ${width} is wider than the window`).toBeLessThanOrEqual(0)
      }
    }
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.getByLabel('Language').selectOption('zh')
    await page.getByRole('heading', { name: '平台' }).waitFor()
    expect(await page.evaluate('document.documentElement.lang')).toBe('zh-CN')
    await page.getByLabel('配色').selectOption('dark')
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('has seen no script run that somebody else has written, and none that the content policy forbids', () => {
    expect(story.watched.mishaps).toEqual([])
  })
})
