import { createServer, type AddressInfo, type Server } from 'node:net'
import { systemClock } from '@tributary/kit'
import { afterEach, describe, expect, it } from 'vitest'
import { AddressProof, type AddressProofOptions, type AddressToProve } from './address-proof.js'

/** Pod and Service are two addresses of this machine: the same port of both may be taken by different servers. */
const POD = '127.0.0.1'
const SERVICE = '127.0.0.2'
const { signal } = new AbortController()
const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

async function listen(host: string, port = 0): Promise<number> {
  const server = createServer((socket) => socket.destroy())
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  return (server.address() as AddressInfo).port
}

function proofOf(more: Partial<AddressProofOptions> = {}): AddressProof {
  return new AddressProof({
    isInside: true,
    clock: systemClock,
    patienceMs: 200,
    resolve: async () => undefined,
    ...more,
  })
}

function addressAt(...ports: number[]): AddressToProve {
  const host = 'orders.feature-x.svc.cluster.local'
  return { host, serviceAddress: SERVICE, podAddress: POD, ports: ports.map((port) => ({ port, podPort: port })) }
}

describe('AddressProof', () => {
  it('waits until the address of a Service takes connections, as its pod does', async () => {
    const port = await listen(POD)
    let attempts = 0
    const clock = {
      ...systemClock,
      sleep: async () => {
        attempts += 1
        if (attempts === 5) await listen(SERVICE, port)
      },
    }
    expect(await proofOf({ clock, patienceMs: 60_000 }).prove(addressAt(port), signal)).toEqual({ state: 'proved' })
    expect(attempts).toBe(5)
  })

  it('says at which address nobody took a connection, and for how long', async () => {
    const port = await listen(POD)
    const why = `nobody took a connection at ${SERVICE}:${port} (ECONNREFUSED) for 0.2 s`
    expect(await proofOf().prove(addressAt(port), signal)).toEqual({ state: 'refused', why })
  })

  it('asks the Service for no port that the pod does not listen on', async () => {
    const port = await listen(POD)
    await listen(SERVICE, port)
    const closed = await listen(POD)
    await new Promise((resolve) => servers.pop()?.close(resolve))
    expect(await proofOf().prove(addressAt(port, closed), signal)).toEqual({ state: 'proved' })
    expect(await proofOf().prove(addressAt(closed), signal)).toMatchObject({ state: 'unseen' })
  })

  it('waits until the cluster’s DNS knows the name', async () => {
    const port = await listen(POD)
    await listen(SERVICE, port)
    const missing = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
    let asked = 0
    const resolve = async (): Promise<void> => {
      asked += 1
      if (asked < 4) throw missing
    }
    expect(await proofOf({ resolve, patienceMs: 60_000 }).prove(addressAt(port), signal)).toEqual({ state: 'proved' })
    const never = proofOf({ resolve: () => Promise.reject(missing) })
    expect(await never.prove(addressAt(port), signal)).toEqual({
      state: 'refused',
      why: 'the cluster’s DNS does not know the name orders.feature-x.svc.cluster.local (ENOTFOUND)',
    })
  })

  it('takes a refusal from outside the cluster for the network’s, until it has reached a Service once', async () => {
    const port = await listen(POD)
    const stranger = proofOf({ isInside: false })
    expect(await stranger.prove(addressAt(port), signal)).toMatchObject({ state: 'unseen' })
    await listen(SERVICE, port)
    expect(await stranger.prove(addressAt(port), signal)).toMatchObject({ state: 'unseen' })

    const neighbour = proofOf({ isInside: false, resolve: () => Promise.reject(new Error('knows no such names')) })
    expect(await neighbour.prove(addressAt(port), signal)).toEqual({ state: 'proved' })
    const other = await listen(POD)
    expect(await neighbour.prove(addressAt(other), signal)).toMatchObject({ state: 'refused' })
  })

  it('stops when nobody wants the result any more', async () => {
    const port = await listen(POD)
    const giving = new AbortController()
    const proving = proofOf({ patienceMs: 60_000 }).prove(addressAt(port), giving.signal)
    giving.abort(new Error('superseded'))
    await expect(proving).rejects.toThrow('superseded')
  })
})
