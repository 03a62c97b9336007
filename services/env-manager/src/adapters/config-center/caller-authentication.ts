import { createConfigCenterClient } from '@tributary/client'
import { AppError } from '@tributary/kit'
import { failure } from '../../errors.js'
import type { CallerAuthentication } from '../../ports/caller-authentication.js'

/** Asks the config center, with the caller's own token, whose it is. Rejects with `CONFIG_CENTER_UNREACHABLE` (retryable). */
export function createConfigCenterAuthentication(baseUrl: string): CallerAuthentication {
  return {
    async identify(token) {
      try {
        return await createConfigCenterClient({ baseUrl, token }).tokenSelf()
      } catch (error) {
        if (error instanceof AppError && error.kind === 'unauthenticated') return undefined
        throw failure('CONFIG_CENTER_UNREACHABLE', 'The config center cannot say now who bears the token; try again', {
          cause: error,
        })
      }
    },
  }
}
