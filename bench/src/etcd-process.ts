import { Etcd3 } from 'etcd3'
import { isInstalled, startServer, type ServerProcess } from './server-process.js'

/** What to do about etcd not being there; undefined when it is. */
export function etcdMissing(): string | undefined {
  return isInstalled('etcd') ? undefined : 'etcd is not installed (apt-get install etcd-server)'
}

/** A single etcd member as its package starts it: fsync on, default timing. Resolves when it has a leader. */
export async function startEtcd(): Promise<ServerProcess> {
  const server = await startServer({
    program: 'etcd',
    arguments: ({ port, secondPort, folder }) => [
      '--name=bench',
      `--data-dir=${folder}`,
      `--listen-client-urls=http://127.0.0.1:${port}`,
      `--advertise-client-urls=http://127.0.0.1:${port}`,
      `--listen-peer-urls=http://127.0.0.1:${secondPort}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${secondPort}`,
      `--initial-cluster=bench=http://127.0.0.1:${secondPort}`,
      '--logger=zap',
      '--log-level=error',
    ],
  })
  const client = etcdClient(server.port)
  await client.put('bench/started').value('yes')
  client.close()
  return server
}

/** A client with a TCP connection that it shares with no other client of this process. */
export function etcdClient(port: number): Etcd3 {
  return new Etcd3({
    hosts: `http://127.0.0.1:${port}`,
    grpcOptions: { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_http_proxy': 0 },
  })
}
