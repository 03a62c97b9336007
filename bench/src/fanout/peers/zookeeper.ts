import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import zookeeper, { type Client } from 'node-zookeeper-client'
import { startChild } from '../../child.js'
import { isInstalled, startServer } from '../../server-process.js'
import { stopAll, valueOf, type Contender, type ContenderKind } from '../contender.js'

/** Where Debian's package puts the server; its manifest names the jars beside it. */
const JAR = '/usr/share/java/zookeeper.jar'
const NODE = '/bench'

/**
 * A node that every subscriber follows in a session of its own: a watch fires once, and the value is read again with the next watch.
 * What is written between the two is never seen, which the count of missed deliveries tells.
 */
export const zookeeperNode: ContenderKind = {
  name: 'ZooKeeper watches',
  missing: () =>
    existsSync(JAR) && isInstalled('java')
      ? undefined
      : 'zookeeper is not installed (apt-get install --no-install-recommends zookeeper)',
  async start(count): Promise<Contender> {
    const server = await startServer({ program: 'java', arguments: serverArguments })
    const subscribers = startChild('../zookeeper-subscribers.js', import.meta.url)
    const client = zookeeper.createClient(`127.0.0.1:${server.port}`)
    const publisher = { stop: async () => client.close() }
    await connected(client)
    await settled((done) => client.create(NODE, Buffer.from(valueOf(-1)), done))
    await subscribers.ask({ port: server.port, count })
    return {
      name: zookeeperNode.name,
      subscribers,
      serverPid: server.pid,
      publish: (sequence) => settled((done) => client.setData(NODE, Buffer.from(valueOf(sequence)), -1, done)),
      stop: () => stopAll([server, publisher, subscribers]),
    }
  },
}

/** One server with a configuration of its own; it syncs its log at each write, which is its default. */
function serverArguments({ port, folder }: { readonly port: number; readonly folder: string }): string[] {
  const configuration = path.join(folder, 'zoo.cfg')
  const lines = ['tickTime=2000', 'maxClientCnxns=0', 'admin.enableServer=false', `dataDir=${folder}/data`]
  writeFileSync(configuration, [...lines, 'clientPortAddress=127.0.0.1', `clientPort=${port}`, ''].join('\n'))
  return ['-cp', JAR, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', configuration]
}

function connected(client: Client): Promise<void> {
  return new Promise((resolve) => {
    client.once('connected', resolve)
    client.connect()
  })
}

function settled(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error === null ? resolve() : reject(error))))
}
