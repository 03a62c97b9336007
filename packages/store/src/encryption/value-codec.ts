/** How values are written down. */
export interface ValueCodec {
  /** What is kept for `value` under `key`. */
  seal(key: string, value: string): Uint8Array | string
  /**
   * The value that is kept under `key` as `stored`.
   * @throws AppError `STORE_KEY_UNKNOWN`: encrypted under a data key that is not known (yet). `STORE_CORRUPT`: changed, or of another key.
   */
  open(key: string, stored: Buffer): string
}

/** Values as they are. */
export const PLAIN_VALUES: ValueCodec = {
  seal: (_key, value) => value,
  open: (_key, stored) => stored.toString('utf8'),
}
