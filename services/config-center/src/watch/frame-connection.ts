import type { Frame } from './frame.js'

/** Where a subscriber's frames go. None of its methods throws, whatever has become of the other end. */
export interface FrameConnection {
  /** Bytes that were sent but that the other end has not taken yet; 0 as long as the connection's own buffer takes more. */
  readonly unsentBytes: number
  /** Calls `listener` once, when all that was sent has been taken. Ask for it while {@link unsentBytes} is not 0. */
  onceDrained(listener: () => void): void
  /** Sends frames in order, as one write where that is possible. */
  send(frames: readonly Frame[]): void
  /** Closes once everything sent has been taken. */
  end(): void
  /** Closes at once; what has not been taken is lost. */
  destroy(): void
}
