import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../lib/prepare.mjs'
import * as acts from './acts.mjs'
import { ActFailed, createStage, paint, say } from './stage.mjs'

/** Plays the demo. Answers the exit status: 0 when every act did what it should, 1 at the first that did not. */
export async function playStory({ once }) {
  const interrupt = new AbortController()
  onSignal(() => interrupt.abort(new Error('interrupted')))
  const data = await dataFolder(once)
  const world = { data, once, signal: interrupt.signal }
  try {
    say(`\n${paint('bold', 'Tributary')}  a preview environment for every branch, on a small shop of four services\n`)
    await (once ? playAll(world) : playOpening(world))
    return 0
  } catch (error) {
    if (interrupt.signal.aborted) return 130
    if (!(error instanceof ActFailed)) say(paint('red', `error: ${error.message}`))
    const lines = world.platform?.errors().trim() ?? ''
    if (lines !== '') say(`\n${paint('gray', lines.split('\n').slice(-10).join('\n'))}`)
    return 1
  } finally {
    await world.platform?.stop()
    if (once) await rm(data, { recursive: true, force: true })
  }
}

async function playAll(world) {
  const stage = createStage()
  await open(stage, world)
  await stage.act('call', () => acts.callFeature(world))
  await stage.act('integration', () => acts.callIntegration(world))
  await stage.act('config', () => acts.changeConfig(world))
  await stage.act('explain', () => acts.explain(world))
  await stage.act('delete', () => acts.removeFeature(world))
  await stage.act('stop', () => acts.stopTributary(world))
  say(`\n${paint('green', 'Every act did what it should.')} Now try it yourself: npm start\n`)
}

async function playOpening(world) {
  const stage = createStage()
  await open(stage, world)
  await stage.act('call', () => acts.callFeature(world))
  say(invitation(world))
  await until(world.signal, world.platform.exited)
  if (!world.signal.aborted) throw new Error('`tributary up` has ended')
  say('\nstopping everything …')
  await acts.stopTributary(world)
  say('no process is left')
}

async function open(stage, world) {
  await stage.act('repositories', async () => Object.assign(world, await acts.openRepositories(world)))
  await stage.act('platform', async () => {
    const result = await acts.startTributary(world)
    world.platform = result.platform
    return result
  })
  await stage.act('integration', () => acts.bringUpIntegration(world))
  await stage.act('push', () => acts.pushFeature(world))
}

function invitation({ data, platform }) {
  return `
Everything runs until Ctrl-C. Open the console and sign in with the token that the command prints:

  ${platform.envManagerUrl}/console/
  cat ${join(data, 'admin.token')}

In another terminal, from this folder:

  npx tributary env list
  npx tributary topology feature-add-button
  npx tributary config set feature-add-button orders pageSize=7 --wait 5s
  curl ${platform.gatewayUrl.replace('127.0.0.1', 'feature-add-button.localhost')}/orders/orders

  git clone ${join(data, 'demo/shop.git')} /tmp/shop     then push a branch of your own`
}

/** `npm start` has data of its own in this project; the whole story plays in a folder that it removes again. */
async function dataFolder(once) {
  if (once) return realpath(await mkdtemp(join(tmpdir(), 'tributary-demo-')))
  const folder = join(root, '.tributary')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return realpath(folder)
}

function onSignal(handle) {
  let told = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // The platform ends by itself when this process is gone: it reads our end of its standard input.
      if (told) process.exit(130)
      told = true
      handle()
    })
  }
}

function until(signal, exited) {
  return Promise.race([exited, new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))])
}
