/** Where a browser goes to sign in at the provider. */
export const OIDC_PATH = '/v1/session/oidc'

/** Where the provider sends it back to: to be registered there, after the public URL. */
export const OIDC_CALLBACK_PATH = '/v1/session/oidc/callback'
