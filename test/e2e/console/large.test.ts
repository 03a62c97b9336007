import path from 'node:path'
import { describeWithServer } from '@tributary/testkit'
import type { Page } from 'playwright-core'
import { beforeAll, expect, it } from 'vitest'
import { accessibilityProblems, CHROMIUM } from '../../support/browser.js'
import { useSignedInStory } from '../../support/console-story.js'
import { GitFixture } from '../../support/git-fixture.js'
import { registerServices, reportCalls } from '../../support/large-system.js'
import type { PlatformFixture } from '../../support/platform.js'
import { waitFor } from '../../support/wait-for.js'

/** As long as a DNS label may be. */
const MAX_NAME = 63
const longName = (start: string, end: string): string =>
  `${start}${'-of-a-long-name'.repeat(5)}`.slice(0, MAX_NAME - end.length) + end
const OWN = longName('checkout', '-own')
const TWINS = [longName('invoices', '-europe'), longName('invoices', '-africa')]
const LONG_BRANCH = `feature/${'<b>long</b>-'.repeat(15)}end`
const serviceAt = (index: number): string => `unit-${String(index).padStart(3, '0')}`

const MEGABYTES = 100
/** Prints what it is asked to: one line, or a flood. */
const TALKER = `import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
createServer((request, response) => {
  const { searchParams } = new URL(request.url, 'http://here')
  if (searchParams.has('say')) console.log(searchParams.get('say'))
  if (searchParams.has('flood')) flood(Number(searchParams.get('flood')))
  response.end('{}')
}).listen(Number(process.env.PORT), process.env.HOST)

async function flood(megabytes) {
  const rest = 'x'.repeat(985)
  for (let megabyte = 0; megabyte < megabytes; megabyte += 1) {
    let text = ''
    for (let line = 0; line < 1000; line += 1) text += \`line \${megabyte}-\${line} \${rest}\\n\`
    process.stdout.write(text)
    await delay(20)
  }
  console.log('the flood is over')
}
`

const definition = (name: string): string =>
  [
    'apiVersion: tributary/v1',
    'kind: Service',
    `name: ${name}`,
    'ports: [{ name: http, port: 8080 }]',
    'health: { readiness: / }',
    'run: { local: { command: node server.mjs } }',
    '',
  ].join('\n')

interface Box {
  readonly name: string
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

describeWithServer('a large system in the browser', CHROMIUM, () => {
  const story = useSignedInStory(async (platform) => {
    const files = { 'service.yaml': definition(OWN), 'server.mjs': TALKER }
    const git = await GitFixture.create(path.join(platform.directory, 'git'), 'talker', files)
    await git.push('feature/x', { 'server.mjs': `${TALKER}\n// changed` })
    await git.branchOff([LONG_BRANCH])
    await platform.writeConfig({ repositories: { talker: git.url }, settings: { pollSeconds: 1, drainSeconds: 1 } })
    await platform.start()
    await platform.untilReady('integration')
    await platform.untilReady('feature-x')
  })
  let platform: PlatformFixture
  let page: Page
  beforeAll(() => {
    platform = story.platform
    page = story.page
  })

  const open = async (place: string) => {
    await page.goto(`${platform.access.url}/console/#/${place}`)
  }
  const openTopology = async (query: string) => {
    await open(`environments/feature-x/topology?${query}`)
    await page.locator('[data-node]').first().waitFor()
  }
  const shapes = () => page.locator('[data-node]')
  const untilShapes = (wanted: number) => waitFor(`${wanted} shapes`, async () => (await shapes().count()) === wanted)
  /** Where the shapes are on the screen. */
  const boxes = async (): Promise<Box[]> => {
    const found: unknown = await page.evaluate(`[...document.querySelectorAll('[data-node]')].map((one) => {
      const { left, top, right, bottom } = one.getBoundingClientRect()
      return { name: one.dataset.node, left, top, right, bottom }
    })`)
    return found as Box[]
  }
  const overlaps = (all: readonly Box[]): string[] =>
    all.flatMap((one, index) =>
      all
        .slice(index + 1)
        .filter((two) => one.left < two.right && two.left < one.right && one.top < two.bottom && two.top < one.bottom)
        .map((two) => `${one.name} covers ${two.name}`),
    )
  /** How high the name in a shape stands on the screen, in pixels. */
  const textHeight = async (name: string): Promise<number> => {
    const shape = page.locator('.node', { has: page.locator(`[data-node="${name}"]`) })
    return (await shape.locator('.node-name').boundingBox())?.height ?? 0
  }
  /** Each service calls two of the next ten; the environment's own calls the first two. */
  const grow = async (from: number, to: number) => {
    const services = Array.from({ length: to - from }, (_, index) => serviceAt(from + index))
    await registerServices(platform, 'integration', services)
    for (let index = from; index < to; index += 2) {
      const next = [index + 3, index + 10].filter((one) => one < to).map(serviceAt)
      if (next.length === 0) continue
      await reportCalls(platform, {
        tenant: 'integration',
        from: serviceAt(index),
        environment: 'feature-x',
        to: next,
      })
    }
  }

  it('tells services of 63 characters apart in the drawing, and shows each name in full', async () => {
    await registerServices(platform, 'integration', TWINS)
    await openTopology('')
    await untilShapes(3)
    const drawn = await page.locator('.node-name').allTextContents()
    expect(new Set(drawn).size).toBe(3)
    for (const name of [OWN, ...TWINS]) {
      expect(name).toHaveLength(MAX_NAME)
      await page.locator(`[data-node="${name}"]`).click()
      await page.getByRole('complementary', { name }).getByRole('heading', { name, exact: true }).waitFor()
    }
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('fits long names and branches into every page, on a phone too', async () => {
    const { environments } = await platform.envManager.listEnvironments()
    const long = environments.find(({ branch }) => branch === LONG_BRANCH)?.name ?? ''
    expect(long.length).toBeGreaterThan(35)
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 844 })
      for (const place of [
        'environments',
        `environments/${long}/overview`,
        'environments/feature-x/overview',
        `environments/feature-x?node=${TWINS[0]}`,
        'environments/feature-x?list=yes',
        'runs',
        `config/integration/${OWN}`,
        'platform',
      ]) {
        await open(place)
        await page.locator('main h1, main h2').first().waitFor()
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
        expect(overflow, `${place} at ${width} is wider than the window`).toBeLessThanOrEqual(0)
      }
    }
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it.each([50, 150])('is readable with %i services: what matters first, the rest in groups', async (count) => {
    const { nodes } = await platform.envManager.getTopology('feature-x')
    await grow(nodes.length - 3, count - 3)
    await reportCalls(platform, {
      tenant: 'feature-x',
      from: OWN,
      environment: 'feature-x',
      to: [serviceAt(0), serviceAt(1)],
    })
    await waitFor('all services and calls to be seen', async () => {
      const topology = await platform.envManager.getTopology('feature-x')
      return topology.nodes.length === count && topology.edges.some(({ from }) => from === OWN)
    })
    await openTopology('')
    // The own service, the two that it calls, and everything else in one.
    await untilShapes(4)
    await page.getByRole('button', { name: `${count - 3} inherited services, expand` }).waitFor()
    expect(await textHeight(OWN)).toBeGreaterThan(9)
    expect(overlaps(await boxes())).toEqual([])
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('draws all 150 without one covering another when the group is opened', async () => {
    await page.getByRole('button', { name: /inherited services, expand/ }).click()
    await untilShapes(150)
    expect(overlaps(await boxes())).toEqual([])
  })

  it('finds one of 150 by a part of its name, shows it large enough to read, and then its neighbours alone', async () => {
    await page.getByRole('searchbox', { name: 'Find a service' }).fill('t-077')
    await page.locator('.node.is-found').waitFor()
    expect(await textHeight('unit-077')).toBeGreaterThan(9)
    expect(await page.locator('.node.is-dimmed').count()).toBe(149)
    await page.getByRole('searchbox', { name: 'Find a service' }).press('Enter')
    await page.getByRole('complementary', { name: 'unit-077' }).waitFor()
    const frame = await page.locator('.graph').boundingBox()
    const found = (await boxes()).find(({ name }) => name === 'unit-077')
    if (frame === null || found === undefined) throw new Error('unit-077 is not drawn')
    expect(found.left).toBeGreaterThanOrEqual(frame.x)
    expect(found.bottom).toBeLessThanOrEqual(frame.y + frame.height)
    await page.getByRole('checkbox', { name: 'Neighbours only' }).check()
    const { edges } = await platform.envManager.getTopology('feature-x')
    const near = new Set(
      edges.filter(({ from, to }) => from === 'unit-077' || to === 'unit-077').flatMap(({ from, to }) => [from, to]),
    )
    await untilShapes(near.size)
    expect(near.size).toBeGreaterThan(1)
    expect(await textHeight('unit-077')).toBeGreaterThan(9)
  })

  it('lists all 150 with their names in full', async () => {
    await open('environments/feature-x/topology?list=yes')
    await waitFor('a row of each service', async () => (await page.locator('tbody tr').count()) === 150)
    for (const name of TWINS) await page.getByRole('button', { name, exact: true }).waitFor()
  })

  it(`stays usable while a service prints ${MEGABYTES} MB, keeps no more than the newest lines, and goes on live`, async () => {
    await openTopology(`node=${OWN}&panel=logs`)
    await platform.get('feature-x', `/${OWN}/?say=first`)
    const log = page.getByRole('log')
    await log.getByText('first', { exact: true }).waitFor()
    await platform.get('feature-x', `/${OWN}/?flood=${MEGABYTES}`)
    await page.getByText(/older lines are not kept in the page/).waitFor({ timeout: 60_000 })
    await page.getByRole('searchbox', { name: 'Find in the log' }).fill('the flood is')
    await log.getByText('the flood is over').waitFor({ timeout: 120_000 })
    // What is looked for may come only later, and far from where the window was scrolled to.
    await page.getByRole('searchbox', { name: 'Find in the log' }).fill('')
    await waitFor('all lines', async () => (await page.locator('.log-line').count()) > 10)
    await page.getByRole('searchbox', { name: 'Find in the log' }).fill('still <img')
    await page.locator('.log-empty').waitFor()
    await platform.get('feature-x', `/${OWN}/?say=${encodeURIComponent('still <img src=x onerror=alert(1)> here')}`)
    await log.getByText('still <img src=x onerror=alert(1)> here').waitFor()
    await page.getByRole('searchbox', { name: 'Find in the log' }).fill('')
    await waitFor('all lines again', async () => (await page.locator('.log-line').count()) > 10)
    expect(await page.locator('.log-line').count()).toBeLessThan(200)
    const devtools = await story.watched.context.newCDPSession(page)
    await devtools.send('HeapProfiler.collectGarbage')
    const { usedSize } = await devtools.send('Runtime.getHeapUsage')
    expect(usedSize / 1024 ** 2).toBeLessThan(80)
    await log.hover()
    await page.mouse.wheel(0, -2000)
    expect(await page.getByRole('checkbox', { name: 'Follow' }).isChecked()).toBe(false)
  })

  it('has seen no mishap in the page', () => {
    expect(story.watched.mishaps).toEqual([])
  })
})
