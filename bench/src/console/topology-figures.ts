import type { Browser, Page } from 'playwright-core'
import { quantile, type Figure } from '../result.js'
import { within } from './bounded.js'
import { STATIC_ROWS } from './static-table.js'
import { openWatched, type WatchedPage } from './watched-page.js'

/** Services of the large topology. */
export const SERVICES = 150
const RUNS = 5
const CLICKS = 10
const MOVES = 60
const MAX_PAINT_MS = 1000
const MAX_FRAME_MS = 50
const MAX_CLICK_MS = 200

/** How soon a large topology stands, and how it moves and answers, beside a page that does nothing. */
export async function topologyFigures(browser: Browser, url: string): Promise<Figure[]> {
  const controls: number[] = []
  const paints: number[] = []
  for (let run = 0; run < RUNS; run += 1) {
    const control = await openWatched(browser, `${url}/static`, { selector: 'tr', count: STATIC_ROWS })
    controls.push(await control.standsAt())
    await control.close()
    const watched = await openTopology(browser, url)
    paints.push(await watched.standsAt())
    await watched.close()
  }
  return [paintFigure(paints, controls), ...(await interactionFigures(await openTopology(browser, url)))]
}

function openTopology(browser: Browser, url: string): Promise<WatchedPage> {
  const address = `${url}/console/#/environments/feature-x/topology?group=no`
  return openWatched(browser, address, { selector: '.node-hit', count: SERVICES })
}

function paintFigure(paints: readonly number[], controls: readonly number[]): Figure {
  return {
    name: `${SERVICES} services, from the address to the drawing, median`,
    value: quantile(paints, 0.5),
    unit: 'ms',
    peer: { name: `${STATIC_ROWS} static rows`, value: quantile(controls, 0.5) },
    target: { text: `<= ${MAX_PAINT_MS} ms`, holds: (value) => value <= MAX_PAINT_MS },
  }
}

async function interactionFigures(watched: WatchedPage): Promise<Figure[]> {
  await watched.standsAt()
  const frames = await framesWhileMoved(watched)
  const clicks: number[] = []
  for (let index = 0; index < CLICKS; index += 1) clicks.push(await timeToPanel(watched.page, index * 14 + 1))
  await watched.close()
  return [
    {
      name: `${SERVICES} services, frame while it is moved, p95`,
      value: quantile(frames, 0.95),
      unit: 'ms',
      target: { text: `<= ${MAX_FRAME_MS} ms`, holds: (value) => value <= MAX_FRAME_MS },
    },
    {
      name: `${SERVICES} services, from a click to its panel, p95`,
      value: quantile(clicks, 0.95),
      unit: 'ms',
      target: { text: `<= ${MAX_CLICK_MS} ms`, holds: (value) => value <= MAX_CLICK_MS },
    },
  ]
}

async function framesWhileMoved({ page, forgetFrames, frames }: WatchedPage): Promise<readonly number[]> {
  await forgetFrames()
  const { mouse } = page
  await within('the mouse', mouse.move(900, 600))
  await within('the mouse', mouse.down())
  for (let step = 0; step < MOVES; step += 1) {
    await within(`move ${step} of the drawing`, mouse.move(900 - step * 5, 600 - step * 2))
  }
  await within('the mouse', mouse.up())
  const moved = await frames()
  // The drawing swallows the click that ends a drag, until a timer that it sets at the release: a click in that moment never comes.
  await within('the end of the move', page.evaluate('new Promise((resolve) => setTimeout(resolve))'))
  return moved
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
