/** The secrets of one sign-in that is under way. All are random and used once. */
export interface SignInChecks {
  readonly state: string
  readonly nonce: string
  /** PKCE: RFC 7636. */
  readonly verifier: string
}

/** What the provider vouches for, of one person. `sub` is the person; everything else is as the provider is set up. */
export type PersonClaims = Readonly<Record<string, unknown>> & { readonly sub: string }

/** A person, and by what the provider can be asked for them again. */
export interface VouchedPerson {
  readonly claims: PersonClaims
  /** Absent: the provider cannot be asked again. */
  readonly refreshToken?: string
}

/** Vouches for people: OpenID Connect, authorization code flow. */
export interface IdentityProvider {
  /** Where the browser has to go. `OIDC_PROVIDER_UNREACHABLE` (retryable) when the provider does not answer. */
  begin(checks: SignInChecks): Promise<URL>
  /**
   * Who came back, from the query that the provider sent the browser back with. `OIDC_SIGN_IN_REFUSED` when the provider or a check says
   * no: a wrong state or nonce, a code that was used before, a person who declined.
   */
  finish(query: URLSearchParams, checks: SignInChecks): Promise<VouchedPerson>
  /**
   * What the provider says of the same person now; its answer may bring another refresh token, and the one that was used is then worth nothing.
   * `OIDC_SIGN_IN_REFUSED` when it does not vouch for `subject` any more; `OIDC_PROVIDER_UNREACHABLE` (retryable).
   */
  refresh(refreshToken: string, subject: string): Promise<VouchedPerson>
}
