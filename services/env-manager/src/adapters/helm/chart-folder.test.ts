import { mkdir, mkdtemp, realpath, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkedChartFolder } from './chart-folder.js'

describe('checkedChartFolder', () => {
  let folder: string
  let checkout: string
  let chart: string
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'tributary-chart-')))
    checkout = join(folder, 'checkout')
    chart = join(checkout, 'deploy/chart')
    await mkdir(join(chart, 'templates'), { recursive: true })
    await writeFile(join(chart, 'Chart.yaml'), 'name: x')
    await mkdir(join(folder, 'checkout-of-another'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('answers the folder of a chart', async () => {
    expect(await checkedChartFolder(chart, checkout)).toBe(chart)
    expect(await checkedChartFolder(chart, undefined)).toBe(chart)
  })

  it('lets a link of the repository lead to a chart of the repository', async () => {
    await symlink('deploy/chart', join(checkout, 'link'))
    expect(await checkedChartFolder(join(checkout, 'link'), checkout)).toBe(chart)
  })

  it.each([
    ['there is nothing', async () => join(checkout, 'nothing'), 'there is no such folder'],
    ['there is a file', async () => join(chart, 'Chart.yaml'), 'it is not a folder'],
    ['there is no Chart.yaml', async () => join(chart, 'templates'), 'it has no Chart.yaml'],
    ['the path leads out', async () => join(checkout, '../checkout-of-another'), 'it leads out of its repository'],
    ['a link leads out', () => linked('out', folder), 'it leads out of its repository'],
    ['a template is a link', () => inChart('templates/x.yaml', '/etc/passwd'), 'templates/x.yaml is a symbolic link'],
    ['a folder of it is a link', () => inChart('files', '/etc'), 'files is a symbolic link'],
    ['a link leads nowhere', () => inChart('x', 'nowhere'), 'x is a symbolic link'],
    ['it is too large', () => large(), 'it is larger than 20 MiB'],
    ['it has too many files', () => many(), 'it has more than 2000 files'],
  ])('refuses a chart when %s', async (_what, make, why) => {
    await expect(checkedChartFolder(await make(), checkout)).rejects.toMatchObject({
      code: 'CHART_INVALID',
      message: expect.stringContaining(why),
    })
  })

  it('does not tell where the manager keeps its checkouts', async () => {
    const failed = await checkedChartFolder(join(checkout, 'nothing'), checkout).catch((error: Error) => error)
    expect(String(failed)).not.toContain(folder)
  })

  async function linked(name: string, target: string): Promise<string> {
    await symlink(target, join(checkout, name))
    return join(checkout, name)
  }

  async function inChart(name: string, target: string): Promise<string> {
    await symlink(target, join(chart, name))
    return chart
  }

  async function large(): Promise<string> {
    await writeFile(join(chart, 'big'), '')
    await truncate(join(chart, 'big'), 21 * 1024 * 1024)
    return chart
  }

  async function many(): Promise<string> {
    await Promise.all(
      Array.from({ length: 2001 }, (_, index) => writeFile(join(chart, 'templates', String(index)), '')),
    )
    return chart
  }
})
