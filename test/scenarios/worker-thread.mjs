// oxlint-disable unicorn/require-post-message-target-origin -- threads are no windows: they have no origin
// A worker thread that calls services for the requests of its process: with a client of its own, in the context that each task brings along.
import { parentPort, workerData } from 'node:worker_threads'
import { connect, runWithContext } from '@tributary/sdk'
import { install } from '@tributary/sdk/undici'

const client = await connect({ env: workerData, require: 'ready' })
const uninstall = install(client)

parentPort.on('message', async (task) => {
  if (task === 'end') {
    await uninstall()
    await client.close()
    parentPort.close()
    return
  }
  const context = client.routing.accept(task.baggage)
  const answer = await runWithContext(context, async () => (await fetch(task.url)).text())
  parentPort.postMessage({ id: task.id, answer })
})
parentPort.postMessage('ready')
