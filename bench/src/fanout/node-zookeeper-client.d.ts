/** What the bench uses of node-zookeeper-client, which has no types of its own. */
declare module 'node-zookeeper-client' {
  export interface Client {
    once(event: 'connected', listener: () => void): this
    connect(): void
    close(): void
    create(path: string, data: Buffer, callback: (error: Error | null) => void): void
    setData(path: string, data: Buffer, version: number, callback: (error: Error | null) => void): void
    getData(path: string, watcher: () => void, callback: (error: Error | null, data: Buffer) => void): void
  }
  const zookeeper: { createClient(connectionString: string): Client }
  export default zookeeper
}
