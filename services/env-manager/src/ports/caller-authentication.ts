import type { TokenInfo } from '@tributary/contract'

/** Says who bears a token. */
export interface CallerAuthentication {
  /** The token's owner; undefined when nobody knows it. Rejects with a retryable `AppError` when that cannot be asked now. */
  identify(token: string): Promise<TokenInfo | undefined>
}
