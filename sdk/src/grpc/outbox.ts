import type { ChannelInterface } from '@grpc/grpc-js'

type Call = ReturnType<ChannelInterface['createCall']>
/** What is written to. */
type WrittenCall = Pick<Call, 'sendMessageWithContext' | 'halfClose'>
type MessageContext = Parameters<Call['sendMessageWithContext']>[0]

/** What grpc-js takes of a call before it waits for a connection; the same bytes, so keeping them costs a reference. */
const MAX_KEPT_BYTES = 1 << 20

/** A message that a program has written, and the program's wish to hear that it was taken. */
class KeptMessage {
  readonly message: Buffer
  readonly #context: MessageContext
  #isTold = false

  constructor(context: MessageContext, message: Buffer) {
    this.#context = context
    this.message = message
  }

  /** The context to write it with; `then` is called when this writing was taken. The program is told once, however often it is written. */
  context(then?: () => void): MessageContext {
    if (then === undefined && this.#context.callback === undefined) return this.#context
    let next = then
    const callback = (error?: Error | null): void => {
      this.#tell(error)
      const taken = next
      next = undefined
      taken?.()
    }
    return { ...this.#context, callback }
  }

  #tell(error: Error | null | undefined): void {
    if (this.#isTold) return
    this.#isTold = true
    this.#context.callback?.(error)
  }
}

/** What a program has written to a call, until it is known that nobody will have to be sent it again. */
export class Outbox {
  #kept: KeptMessage[] | undefined = []
  #keptBytes = 0
  #isHalfClosed = false
  #isReplaying = false

  /** True while everything that was written can be written again. */
  get isWhole(): boolean {
    return this.#kept !== undefined
  }

  /** Writes a message. */
  send(call: WrittenCall, context: MessageContext, message: Buffer): void {
    // Before it is added: grpc-js takes one more message than it has room for, and no other until that one was sent.
    if (this.#keptBytes > MAX_KEPT_BYTES && !this.#isReplaying) this.forget()
    if (this.#kept === undefined) return call.sendMessageWithContext(context, message)
    const kept = new KeptMessage(context, message)
    this.#kept.push(kept)
    this.#keptBytes += message.length
    if (!this.#isReplaying) call.sendMessageWithContext(kept.context(), message)
  }

  /** Ends what is written. */
  halfClose(call: WrittenCall): void {
    this.#isHalfClosed = true
    if (!this.#isReplaying) call.halfClose()
  }

  /** Writes to another call what was written to the first: one message after another, as grpc-js wants them. Nothing is kept after it. */
  replay(call: WrittenCall): void {
    this.#isReplaying = true
    this.#replayFrom(call, 0)
  }

  /** Nobody will have to be sent it again. */
  forget(): void {
    if (!this.#isReplaying) this.#kept = undefined
  }

  #replayFrom(call: WrittenCall, index: number): void {
    const next = this.#kept?.[index]
    if (next !== undefined) {
      call.sendMessageWithContext(
        next.context(() => this.#replayFrom(call, index + 1)),
        next.message,
      )
      return
    }
    this.#isReplaying = false
    this.forget()
    if (this.#isHalfClosed) call.halfClose()
  }
}
