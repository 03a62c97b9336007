import path from 'node:path'
import { describeWithServer } from '@tributary/testkit'
import { beforeAll, expect, it } from 'vitest'
import { buildConsoleFiles } from '../../support/browser.js'
import { useStory } from '../../support/console-story.js'
import { FIREFOX, FirefoxPage } from '../../support/firefox.js'
import { GitFixture } from '../../support/git-fixture.js'
import type { PlatformFixture } from '../../support/platform.js'
import { tinyService } from '../../support/tiny-service.js'

const ENTER = '\uE007'

describeWithServer('the console in Firefox', FIREFOX, () => {
  const story = useStory(async (platform, atEnd) => {
    const tiny = await GitFixture.create(path.join(platform.directory, 'git'), 'tiny', tinyService('one'))
    await tiny.push('feature/x', tinyService('two'))
    await platform.writeConfig({ repositories: { tiny: tiny.url }, settings: { pollSeconds: 1, drainSeconds: 1 } })
    await platform.start()
    await platform.untilReady('integration')
    await platform.untilReady('feature-x')
    await buildConsoleFiles()
    const page = await FirefoxPage.open()
    atEnd(() => page.close())
    return { page }
  })
  let platform: PlatformFixture
  let page: FirefoxPage
  beforeAll(() => {
    platform = story.platform
    page = story.given.page
  })

  const has = (selector: string, text: string): string =>
    `[...document.querySelectorAll(${JSON.stringify(selector)})].some((one) => one.textContent.includes(${JSON.stringify(text)}))`

  it('lets somebody in who types a token, and lists environments live', async () => {
    await page.goto(`${platform.access.url}/console/`)
    await page.until(`document.querySelector('input[type=password]') !== null`)
    await page.evaluate(`document.querySelector('input[type=password]').focus()`)
    await page.type(`${platform.access.token}${ENTER}`)
    await page.until(has('.env-row', 'feature-x'))
    await page.until(has('.live', 'Live'))
    await platform.envManager.patchEnvironment('feature-x', { pinned: true })
    await page.until(has('.env-row', 'Pinned'))
  })

  it('draws the topology, and opens a service from it with the keyboard', async () => {
    await page.evaluate(`void (location.hash = '#/environments/feature-x')`)
    await page.until(`document.querySelector('[data-node="tiny"]') !== null`)
    const size = await page.evaluate(`(({ width, height }) => [width > 50, height > 20])(
      document.querySelector('[data-node="tiny"]').getBoundingClientRect())`)
    expect(size).toEqual([true, true])
    await page.evaluate(`document.querySelector('[data-node="tiny"]').focus()`)
    await page.type(ENTER)
    await page.until(has('aside h2', 'tiny'))
  })

  it('opens a document in the editor and takes what is typed', async () => {
    await page.evaluate(`void (location.hash = '#/config/feature-x/tiny')`)
    const editor = `document.querySelector('.editor-host')?.shadowRoot?.querySelector('.cm-content')`
    await page.until(`${editor} instanceof HTMLElement`)
    await page.evaluate(`${editor}.focus()`)
    await page.type('x')
    await page.until(has('[role=status]', 'Unsaved changes'))
  })

  it('has seen no error, and nothing that the content policy forbids', async () => {
    expect(await page.mishaps()).toEqual([])
  })
})
