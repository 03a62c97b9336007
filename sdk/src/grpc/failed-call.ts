import { Metadata, type ChannelInterface, type status } from '@grpc/grpc-js'

type Call = ReturnType<ChannelInterface['createCall']>

/** A call that ends with a status without having been anywhere. */
export class FailedCall implements Call {
  readonly #status: { readonly code: status; readonly details: string }

  constructor(failure: { readonly code: status; readonly details: string }) {
    this.#status = failure
  }

  start(_metadata: Metadata, listener: Parameters<Call['start']>[1]): void {
    process.nextTick(() => listener.onReceiveStatus({ ...this.#status, metadata: new Metadata() }))
  }

  getPeer(): string {
    return 'none'
  }

  getCallNumber(): number {
    return 0
  }

  getAuthContext(): null {
    return null
  }

  // There is nothing to send to, to read from or to cancel.
  cancelWithStatus(): void {}
  sendMessageWithContext(): void {}
  startRead(): void {}
  halfClose(): void {}
  setCredentials(): void {}
}
