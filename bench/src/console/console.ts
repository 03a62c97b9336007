import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { repositoryRoot } from '@tributary/testkit'
import { chromium, type Browser, type Page } from 'playwright-core'
import { quantile, type Figure } from '../result.js'
import { answersFor, topologyOf } from './scripted-api.js'
import { startScriptedServer } from './scripted-server.js'

const CHROMIUM = '/usr/bin/chromium'
const DIRECTORY = path.join(repositoryRoot, 'console/dist')
const SERVICES = 150
const ENVIRONMENTS = 1000
const MAX_BUNDLE_KB = 350
const LONG_TASK_MS = 50
const MAX_PAINT_MS = 1000
const MAX_FRAME_MS = 50
const MAX_CLICK_MS = 200
const RUNS = 5

/** Resolves when all services are drawn. Not `waitForFunction`: it evaluates text within the page, which its content policy forbids. */
const STANDS_AT = `new Promise((resolve) => {
  const look = () => (window.standsAt === undefined ? requestAnimationFrame(look) : resolve(window.standsAt));
  look();
})`

/** The console in Chromium with a scripted API: how much is loaded, how soon a large topology stands, and how it moves. */
export async function consoleBench(): Promise<Figure[]> {
  const size = bundleFigure()
  if (!existsSync(CHROMIUM)) {
    process.stderr.write(`console: only the size was measured: ${CHROMIUM} is missing: apt-get install -y chromium\n`)
    return [size]
  }
  const server = await startScriptedServer(DIRECTORY, answersFor(ENVIRONMENTS, topologyOf(SERVICES)))
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  try {
    return [size, ...(await topologyFigures(browser, server.url)), ...(await listFigures(browser, server.url))]
  } finally {
    await browser.close()
    await server.close()
  }
}

/** Everything that the first page loads: the page, and the scripts and styles that it names. */
function bundleFigure(): Figure {
  const html = readFileSync(path.join(DIRECTORY, 'index.html'), 'utf8')
  const named = [...html.matchAll(/(?:src|href)="\/console\/([^"]+)"/g)].map(([, file = '']) => file)
  const bytes = ['index.html', ...named].map((file) => gzipSync(readFileSync(path.join(DIRECTORY, file))).length)
  return {
    name: 'first page, gzip',
    value: bytes.reduce((sum, one) => sum + one, 0) / 1024,
    unit: 'KB',
    target: { text: `<= ${MAX_BUNDLE_KB} KB`, holds: (value) => value <= MAX_BUNDLE_KB },
  }
}

async function topologyFigures(browser: Browser, url: string): Promise<Figure[]> {
  const paints: number[] = []
  for (let run = 0; run < RUNS; run += 1) {
    const page = await openAt(browser, `${url}/console/#/environments/feature-x/topology?group=no`)
    paints.push(Number(await page.evaluate(STANDS_AT)))
    if (run < RUNS - 1) await page.context().close()
    else return [paintFigure(paints), ...(await interactionFigures(page))]
  }
  return []
}

/** Notes when all services are drawn, and each frame and long task from then on. */
async function openAt(browser: Browser, address: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  await page.addInitScript(`
    window.frames_ = []; window.longTasks = []; let last;
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((one) => one.duration))).observe({ entryTypes: ['longtask'] });
    const tick = (now) => {
      if (window.standsAt === undefined && document.querySelectorAll('.node-hit').length === ${SERVICES}) window.standsAt = performance.now();
      if (last !== undefined) frames_.push(now - last);
      last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  `)
  await page.goto(address)
  return page
}

function paintFigure(paints: readonly number[]): Figure {
  return {
    name: `${SERVICES} services, from the address to the drawing, median`,
    value: quantile(paints, 0.5),
    unit: 'ms',
    target: { text: `<= ${MAX_PAINT_MS} ms`, holds: (value) => value <= MAX_PAINT_MS },
  }
}

async function interactionFigures(page: Page): Promise<Figure[]> {
  await page.evaluate('frames_.length = 0')
  await page.mouse.move(900, 600)
  await page.mouse.down()
  for (let step = 0; step < 60; step += 1) await page.mouse.move(900 - step * 5, 600 - step * 2)
  await page.mouse.up()
  const frames = numbers(await page.evaluate('frames_'))
  const clicks: number[] = []
  for (let index = 0; index < 10; index += 1) clicks.push(Number(await page.evaluate(clickNode(index * 14 + 1))))
  await page.context().close()
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

/** Clicks a shape and answers the time until its panel has been painted. */
function clickNode(index: number): string {
  return `new Promise((resolve) => {
    const node = document.querySelectorAll('.node-hit')[${index}];
    const name = node.dataset.node;
    const startedAt = performance.now();
    node.dispatchEvent(new MouseEvent('click', { bubbles: true }));
    const look = () => document.querySelector('aside.panel[aria-label="' + name + '"]') ? requestAnimationFrame(() => resolve(performance.now() - startedAt)) : requestAnimationFrame(look);
    look();
  })`
}

async function listFigures(browser: Browser, url: string): Promise<Figure[]> {
  const page = await openAt(browser, `${url}/console/#/environments`)
  await page.waitForSelector('.virtual-row')
  await page.evaluate('new Promise((resolve) => setTimeout(resolve, 500))')
  await page.evaluate('longTasks.length = 0; frames_.length = 0')
  await page.mouse.move(800, 500)
  for (let step = 0; step < 120; step += 1) {
    await page.mouse.wheel(0, 500)
    await page.evaluate('new Promise(requestAnimationFrame)')
  }
  const [tasks, frames] = [numbers(await page.evaluate('longTasks')), numbers(await page.evaluate('frames_'))]
  await page.context().close()
  return [
    {
      name: `${ENVIRONMENTS} environments, longest task while scrolling (0: none over ${LONG_TASK_MS})`,
      value: Math.max(0, ...tasks),
      unit: 'ms',
      target: { text: `<= ${LONG_TASK_MS} ms`, holds: (value) => value <= LONG_TASK_MS },
    },
    { name: `${ENVIRONMENTS} environments, frame while scrolling, p95`, value: quantile(frames, 0.95), unit: 'ms' },
  ]
}

function numbers(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : []
}
