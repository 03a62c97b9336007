// One baseline service of the interleaving scenario, as a process of its own: it reads each request by events, waits in every way that
// programs wait, fails now and then, and calls the next service. FORGET names one propagation to remove: `bind` runs the pool's tasks in the
// context of whichever request woke it, `pool` in none.
import { AsyncResource } from 'node:async_hooks'
import { EventEmitter, once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { Readable } from 'node:stream'
import { connect, createAgents, withRoutingContext } from '@tributary/sdk'
import { install } from '@tributary/sdk/undici'
import { request } from 'undici'

const { FORGET = '', NEXT = '', TRIBUTARY_SERVICE: service } = process.env
const client = await connect({ require: 'ready' })
const uninstall = install(client)
const agents = createAgents(client, { maxSockets: 64 })
const bind = FORGET === '' ? (task) => AsyncResource.bind(task) : (task) => task

/** Four workers for all requests. A task that is not bound runs in the context of the request that started its worker. */
const pool = { tasks: [], workers: 0 }
function submit(task) {
  return new Promise((resolve) => {
    pool.tasks.push(bind(() => resolve(task())))
    if (FORGET !== 'pool' && pool.workers < 4) void work()
  })
}
async function work() {
  pool.workers += 1
  for (let task = pool.tasks.shift(); task !== undefined; task = pool.tasks.shift()) {
    await new Promise((resolve) => setImmediate(resolve))
    task()
  }
  pool.workers -= 1
}
// Made with the process, so that what it runs belongs to no request.
if (FORGET === 'pool') setInterval(() => void work(), 1).unref()

const WAYS = [
  () => new Promise((resolve) => setTimeout(resolve, Math.random() * 4)),
  () => new Promise((resolve) => setImmediate(resolve)),
  () => {
    const emitter = new EventEmitter()
    setTimeout(() => emitter.emit('done'), 1)
    return new Promise((resolve) => emitter.once('done', resolve))
  },
  () => Promise.reject(new Error('expected')).catch(() => undefined),
  async () => {
    for await (const part of Readable.from(['a', 'b'])) if (part === '') return
  },
]

/** Calls go by every client there is; every second one is made by the pool. */
function callNext(id) {
  const url = `http://${NEXT}/?id=${id}`
  const call = id % 8 === 1 ? () => byNode(url) : id % 8 === 4 ? () => byFetch(url) : () => byUndici(url)
  return id % 4 < 2 ? submit(call) : call()
}
async function byFetch(url) {
  const response = await fetch(url, { method: 'POST', body: 'x' })
  return textOf(response.status, await response.text())
}
async function byUndici(url) {
  const { statusCode, body } = await request(url, { method: 'POST', body: 'x' })
  return textOf(statusCode, await body.text())
}
async function byNode(url) {
  const call = httpRequest(url, { method: 'POST', agent: agents.httpAgent })
  call.end('x')
  const [response] = await once(call, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return textOf(response.statusCode, text)
}
function textOf(status, text) {
  if (status !== 200) throw new Error(`${NEXT} answers ${status}`)
  return text
}

const failed = new Set()

async function answer(id) {
  await WAYS[Math.floor(Math.random() * WAYS.length)]()
  // Every twentieth request fails once, and its caller asks again from where it caught the error.
  if (id % 20 === 7 && service !== 'first' && !failed.delete(id)) {
    failed.add(id)
    throw new Error('expected')
  }
  return callNext(id).catch(() => callNext(id))
}

const server = createServer(
  withRoutingContext(client, (incoming, response) => {
    const id = Number(new URL(incoming.url, 'http://any').searchParams.get('id'))
    incoming.on('data', () => undefined)
    incoming.on('end', () => {
      answer(id).then(
        (text) => response.end(text),
        () => response.writeHead(500).end(),
      )
    })
  }),
)
server.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port }))
process.once('disconnect', async () => {
  server.close()
  server.closeAllConnections()
  await uninstall()
  await client.close()
  process.exit(0)
})
