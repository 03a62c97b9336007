import type { Browser, Page } from 'playwright-core'
import { quantile, type Figure } from '../result.js'
import { within } from './bounded.js'
import { mainThreadOf } from './main-thread.js'
import { STATIC_ROWS } from './static-table.js'
import { openEmpty, openWatched, type Standing, type WatchedPage } from './watched-page.js'

/** Services of the large topology. */
export const SERVICES = 150
const RUNS = 5
const CLICKS = 10
const MOVES = 60
const MAX_PAINT_MS = 1000
const MAX_MOVE_TASK_MS = 50
const MAX_CLICK_TASK_MS = 150
const STANDING = { selector: '.node-hit', count: SERVICES } as const

/**
 * How soon a large topology stands, and how it moves and answers. Held to its target is what the page's own main thread takes of a processor; what a
 * person waits for on this machine now, with all that it does besides, stands beside a page that does nothing.
 */
export async function topologyFigures(browser: Browser, url: string): Promise<Figure[]> {
  const address = `${url}/console/#/environments/feature-x/topology?group=no`
  const controls: number[] = []
  const paints: number[] = []
  for (let run = 0; run < RUNS; run += 1) {
    controls.push(await timeToStand(browser, `${url}/static`, { selector: 'tr', count: STATIC_ROWS }))
    paints.push(await timeToStand(browser, address, STANDING))
  }
  const peer = { name: `${STATIC_ROWS} static rows`, value: quantile(controls, 0.5) }
  const waited = { name: `${SERVICES} services, from the address to the drawing, median`, value: quantile(paints, 0.5) }
  const watched = await openEmpty(browser, STANDING)
  try {
    return [
      await paintFigure(browser, watched, address),
      { ...waited, unit: 'ms', peer },
      ...(await moveFigures(browser, watched)),
      ...(await clickFigures(browser, watched)),
    ]
  } finally {
    await watched.close()
  }
}

async function timeToStand(browser: Browser, address: string, standing: Standing): Promise<number> {
  const watched = await openWatched(browser, address, standing)
  const standsAt = await watched.standsAt()
  await watched.close()
  return standsAt
}

async function paintFigure(browser: Browser, watched: WatchedPage, address: string): Promise<Figure> {
  const { page } = watched
  const { totalCpuMs } = await mainThreadOf({ browser, page }, async () => {
    await within('the topology', page.goto(address))
    await watched.standsAt()
  })
  return {
    name: `${SERVICES} services, to draw them, own time`,
    value: totalCpuMs,
    unit: 'ms',
    target: { text: `<= ${MAX_PAINT_MS} ms`, holds: (value) => value <= MAX_PAINT_MS },
  }
}

async function moveFigures(browser: Browser, watched: WatchedPage): Promise<Figure[]> {
  const { page } = watched
  await watched.forgetFrames()
  const task = await mainThreadOf({ browser, page }, () => move(page))
  return [
    {
      name: `${SERVICES} services, longest task while they are moved, own time`,
      value: task.cpuMs,
      unit: 'ms',
      target: { text: `<= ${MAX_MOVE_TASK_MS} ms`, holds: (value) => value <= MAX_MOVE_TASK_MS },
    },
    {
      name: `${SERVICES} services, frame while they are moved, p95`,
      value: quantile(await watched.frames(), 0.95),
      unit: 'ms',
    },
  ]
}

async function move(page: Page): Promise<void> {
  const { mouse } = page
  await within('the mouse', mouse.move(900, 600))
  await within('the mouse', mouse.down())
  for (let step = 0; step < MOVES; step += 1) {
    await within(`move ${step} of the drawing`, mouse.move(900 - step * 5, 600 - step * 2))
  }
  await within('the mouse', mouse.up())
  // The drawing swallows the click that ends a drag, until a timer that it sets at the release: a click in that moment never comes.
  await within('the end of the move', page.evaluate('new Promise((resolve) => setTimeout(resolve))'))
}

async function clickFigures(browser: Browser, { page }: WatchedPage): Promise<Figure[]> {
  const clicks: number[] = []
  const task = await mainThreadOf({ browser, page }, async () => {
    for (let index = 0; index < CLICKS; index += 1) clicks.push(await timeToPanel(page, index * 14 + 1))
  })
  return [
    {
      name: `${SERVICES} services, longest task of ${CLICKS} clicks, own time`,
      value: task.cpuMs,
      unit: 'ms',
      target: { text: `<= ${MAX_CLICK_TASK_MS} ms`, holds: (value) => value <= MAX_CLICK_TASK_MS },
    },
    { name: `${SERVICES} services, from a click to its panel, p95`, value: quantile(clicks, 0.95), unit: 'ms' },
  ]
}

/** Clicks a shape; resolves to the milliseconds until its panel has been painted. */
async function timeToPanel(page: Page, index: number): Promise<number> {
  const taken = page.evaluate(`new Promise((resolve) => {
    const node = document.querySelectorAll('.node-hit')[${index}];
    const name = node.dataset.node;
    const startedAt = performance.now();
    node.dispatchEvent(new MouseEvent('click', { bubbles: true }));
    const look = () => document.querySelector('aside.panel[aria-label="' + name + '"]') ? requestAnimationFrame(() => resolve(performance.now() - startedAt)) : requestAnimationFrame(look);
    look();
  })`)
  return Number(await within(`the panel of service ${index}`, taken))
}
