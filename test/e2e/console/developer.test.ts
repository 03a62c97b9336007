import { describeWithServer } from '@tributary/testkit'
import type { Page } from 'playwright-core'
import { beforeAll, expect, it } from 'vitest'
import { accessibilityProblems, CHROMIUM } from '../../support/browser.js'
import { useSignedInStory } from '../../support/console-story.js'
import { startConsoleWorld, withButtons } from '../../support/console-world.js'
import { waitFor } from '../../support/wait-for.js'

const DOCUMENT = { tenant: 'feature-page-size', service: 'orders' }

interface Orders {
  readonly tenant: string
  readonly pageSize: number
}

describeWithServer('a developer in the browser', CHROMIUM, () => {
  const story = useSignedInStory(startConsoleWorld)
  let page: Page
  beforeAll(() => {
    page = story.page
  })

  const row = () =>
    page.getByRole('row').filter({ has: page.getByRole('link', { name: 'feature-page-size', exact: true }) })
  const editor = () => page.getByRole('textbox', { name: 'JSON of the document' })
  const orders = () => story.platform.get<Orders>('feature-page-size', '/orders/orders')
  const openDocument = async (tenant: string) => {
    await page.goto(`${story.platform.access.url}/console/#/config/${tenant}/orders`)
    await editor().waitFor()
  }
  /** Replaces everything in the editor, as a person does. */
  const write = async (text: string) => {
    await editor().click()
    await page.keyboard.press('Control+a')
    await page.keyboard.insertText(text)
  }

  it('pushes a branch and watches it come up, without loading the page again', async () => {
    await page.getByText('1 environment', { exact: true }).waitFor()
    await story.given.shop.push('feature/page-size', withButtons('pay', 'more'))
    await row().getByText('Ready').waitFor({ timeout: 30_000 })
  })

  it('opens its URL', async () => {
    const href = await row()
      .getByRole('link', { name: /Open feature-page-size in a new tab/ })
      .getAttribute('href')
    expect(href).toContain('//feature-page-size.localhost')
    expect(await orders()).toMatchObject({ tenant: 'feature-page-size', pageSize: 2 })
  })

  it('follows the run’s log to its end', async () => {
    await page.getByRole('link', { name: 'Runs', exact: true }).first().click()
    await page
      .getByRole('row')
      .filter({ hasText: 'feature-page-size' })
      .getByRole('link', { name: 'Deploy' })
      .first()
      .click()
    await page.getByRole('log').getByText('feature/page-size ->').waitFor()
    await page.getByText('Succeeded').first().waitFor()
  })

  it('changes config with completion, sees who would get it, and the service has it at once', async () => {
    await openDocument('feature-page-size')
    await write('{')
    await page.keyboard.type(' "page')
    await page.keyboard.press('Control+Space')
    await page.getByRole('option', { name: /"pageSize"/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.type('7')
    await page.keyboard.press('Escape')
    await write('{ "pageSize": 7 }')
    await page.getByRole('button', { name: 'Review and save' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('/pageSize').first().waitFor()
    await dialog.getByLabel('Why (kept in the history)').fill('More orders on a page')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText(/Saved at store revision \d+; 1 subscribers have it/).waitFor()
    expect(await orders()).toMatchObject({ pageSize: 7 })
  })

  it('types over words of any colour', async () => {
    await openDocument('feature-page-size')
    for (const before of ['"a word"', '7', '{}']) {
      await write(before)
      await write('12')
      await expect.poll(() => editor().textContent()).toBe('12')
    }
    expect(story.watched.mishaps).toEqual([])
    await page.getByRole('button', { name: 'Discard' }).click()
  })

  it('sees in the effective value who shadows whom', async () => {
    await page.getByRole('button', { name: 'Effective value' }).click()
    await page.getByRole('button', { name: /pageSize 7/ }).click()
    const stack = page.getByRole('list', { name: /Who sets/ })
    await stack.getByText('wins').waitFor()
    expect(await stack.getByRole('listitem').allInnerTexts()).toEqual([
      expect.stringMatching(/feature-page-size\/orders\s+wins/),
      expect.stringMatching(/integration\/orders\s+shadowed by feature-page-size\/orders/),
    ])
  })

  it('reads in the differences which value is whose', async () => {
    const { url } = story.platform.access
    for (const place of [
      'environments/feature-page-size/topology?mode=diff',
      'config/feature-page-size/orders?tab=diff',
    ]) {
      await page.goto(`${url}/console/#/${place}`)
      const table = page.getByRole('region', { name: 'Config that differs' })
      await table.getByRole('row', { name: /pageSize 2 7$/ }).waitFor()
      expect(await table.getByRole('columnheader').allInnerTexts()).toEqual(['Key', 'integration', 'feature-page-size'])
    }
  })

  it('loses nothing when somebody else saves the same document meanwhile: both sets of changes are merged', async () => {
    const { platform } = story
    await openDocument('feature-page-size')
    await write('{ "pageSize": 9, "discountPercent": 10 }')
    await platform.configCenter.applyDocument(DOCUMENT, { pageSize: 8, theirs: true })
    await page.getByText(/Somebody has saved revision \d+ meanwhile/).waitFor()
    await page.getByRole('button', { name: 'Review and save' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('1 value was changed by both: choose one').first().waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('radio', { name: /Yours/ }).check()
    await dialog.getByRole('button', { name: 'Continue with the merge' }).click()
    await page.getByRole('button', { name: 'Review and save' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click()
    const merged = { pageSize: 9, discountPercent: 10, theirs: true }
    await waitFor('the merge to be saved', async () => {
      expect((await platform.configCenter.getDocument(DOCUMENT)).data).toEqual(merged)
      return true
    })
  })

  it('finds every write in the history and goes back to one', async () => {
    await page.getByRole('button', { name: 'History' }).click()
    await page.getByText('More orders on a page').waitFor()
    await page.getByRole('button', { name: 'Go back to before this' }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Go back to before this' }).click()
    await waitFor('the document of before', async () => {
      const { data } = await story.platform.configCenter.getDocument(DOCUMENT)
      return 'theirs' in data && data['pageSize'] === 8
    })
  })

  it('is told before a change of the base who else would see it', async () => {
    await openDocument('integration')
    await write('{ "pageSize": 3, "discountPercent": 5 }')
    await page.getByRole('button', { name: 'Review and save' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('2 tenants see a difference').waitFor()
    await dialog.getByText('/discountPercent: 0 → 5').first().waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Discard' }).click()
  })

  it('sees who would get a change, gives it to that instance first, then to all', async () => {
    await openDocument('feature-page-size')
    await page.getByRole('button', { name: 'Gray release' }).click()
    const patch = page.getByRole('textbox', { name: 'JSON of the change' })
    await patch.click()
    await page.keyboard.press('Control+a')
    await page.keyboard.insertText('{ "pageSize": 4 }')
    await page.getByRole('combobox', { name: 'Share of the instances' }).selectOption('chosen')
    await page.getByRole('checkbox', { name: /^orders-/ }).check()
    const impact = page.getByRole('region', { name: 'Who would get what' })
    await impact.getByText('1 of 1 live subscribers of this service would get it').waitFor()
    await impact.getByRole('row', { name: '/pageSize 8 4' }).waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
    expect((await story.platform.configCenter.listGrayReleases('feature-page-size')).releases).toEqual([])
    await page.getByRole('button', { name: 'Start the gray release' }).click()
    await page.getByText('A gray release is under way').waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
    expect(await orders()).toMatchObject({ pageSize: 4 })
    expect((await story.platform.configCenter.getDocument(DOCUMENT)).data).toMatchObject({ pageSize: 8 })
    await page.getByRole('button', { name: 'Give it to all' }).click()
    await waitFor('the change to be saved', async () => {
      return (await story.platform.configCenter.getDocument(DOCUMENT)).data['pageSize'] === 4
    })
  })

  it('deletes the environment after typing its name, and the receipt proves it', async () => {
    await page.getByRole('link', { name: 'Environments', exact: true }).first().click()
    await page.getByRole('button', { name: 'Actions: feature-page-size' }).click()
    await page.getByRole('menuitem', { name: /Delete/ }).click()
    const dialog = page.getByRole('dialog')
    const confirm = dialog.getByRole('button', { name: 'Delete', exact: true })
    expect(await confirm.getAttribute('aria-disabled')).toBe('true')
    await dialog.getByRole('textbox').fill('feature-page-size')
    await confirm.click()
    await row().waitFor({ state: 'detached', timeout: 30_000 })
    const { receipts } = await story.platform.envManager.listReceipts('feature-page-size')
    expect(receipts[0]?.resources.length).toBeGreaterThan(3)
  })

  it('has seen no mishap in the page', () => {
    expect(story.watched.mishaps).toEqual([])
  })
})
