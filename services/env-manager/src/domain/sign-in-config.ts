import { PersonRole } from '@tributary/contract'
import { Type, type Static } from 'typebox'
import type { Problem } from './problem.js'
import type { YamlDocument } from './yaml-file.js'

const strict = { additionalProperties: false } as const

/** `signIn` of `tributary.config.yaml`: how people sign in to the console. Without it: with a token. */
export const SignInFile = Type.Object(
  {
    publicUrl: Type.Optional(
      Type.String({
        pattern: '^https?://[^\\s/?#]+$',
        maxLength: 255,
        description: 'origin at which browsers reach the env-manager; with https the session’s cookie never leaves TLS',
      }),
    ),
    idleMinutes: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 43_200,
        description: 'a session that is not used so long ends; default: 480',
      }),
    ),
    maxHours: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 720, description: 'a session ends after so long, used or not; default: 24' }),
    ),
    oidc: Type.Optional(
      Type.Object(
        {
          issuer: Type.String({
            pattern: '^https?://\\S+$',
            maxLength: 2048,
            description: 'the provider, as its discovery document names it',
          }),
          clientId: Type.String({ minLength: 1, maxLength: 255 }),
          clientSecret: Type.Optional(
            Type.Object(
              { environmentVariable: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 128 }) },
              { ...strict, description: 'absent: a public client, which PKCE makes safe' },
            ),
          ),
          label: Type.Optional(
            Type.String({ minLength: 1, maxLength: 60, description: 'of the button; default: the issuer’s host' }),
          ),
          scopes: Type.Optional(
            Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$', maxLength: 255 }), {
              maxItems: 20,
              description: 'default: openid, profile, email',
            }),
          ),
          roleMinutes: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 1_440,
              description:
                'how long a role holds before the provider is asked again, by its refresh token; without one the session ends then; default: 60',
            }),
          ),
          roles: Type.Object(
            {
              claim: Type.String({
                minLength: 1,
                maxLength: 255,
                description: 'a text or a list of texts, e.g. groups',
              }),
              values: Type.Record(Type.String({ minLength: 1, maxLength: 255 }), PersonRole, {
                maxProperties: 200,
                description: 'role by value of the claim; the strongest counts',
              }),
              otherwise: Type.Optional({
                ...PersonRole,
                description: 'role of everybody else who signs in; default: none',
              }),
            },
            strict,
          ),
        },
        strict,
      ),
    ),
  },
  strict,
)

/** An OpenID provider, with every default filled in. */
export interface OidcConfig {
  readonly issuer: string
  readonly clientId: string
  /** Name of the variable that holds the secret; null: a public client. */
  readonly clientSecretVariable: string | null
  readonly label: string
  readonly scopes: readonly string[]
  /** How long a role holds before the provider is asked again. */
  readonly roleMinutes: number
  readonly roles: RoleMapping
}

/** Which role a claim's value gives. */
export interface RoleMapping {
  readonly claim: string
  readonly values: Readonly<Record<string, PersonRole>>
  readonly otherwise: PersonRole | null
}

/** How people sign in, with every default filled in. */
export interface SignInConfig {
  readonly publicUrl: string | null
  readonly idleMinutes: number
  readonly maxHours: number
  readonly oidc: OidcConfig | null
}

/** Fills in the defaults. */
export function signInWithDefaults(file: Static<typeof SignInFile> = {}): SignInConfig {
  const { publicUrl = null, idleMinutes = 480, maxHours = 24, oidc } = file
  return { publicUrl, idleMinutes, maxHours, oidc: oidc === undefined ? null : oidcWithDefaults(oidc) }
}

function oidcWithDefaults(oidc: NonNullable<Static<typeof SignInFile>['oidc']>): OidcConfig {
  const {
    issuer,
    clientId,
    clientSecret,
    label,
    scopes = ['openid', 'profile', 'email'],
    roleMinutes = 60,
    roles,
  } = oidc
  return {
    issuer,
    clientId,
    clientSecretVariable: clientSecret?.environmentVariable ?? null,
    label: label ?? new URL(issuer).host,
    scopes: scopes.includes('openid') ? scopes : ['openid', ...scopes],
    roleMinutes,
    roles: { claim: roles.claim, values: roles.values, otherwise: roles.otherwise ?? null },
  }
}

/** A provider has to know where to send people back, and passwords and codes cross no network in the clear. */
export function signInProblems(document: YamlDocument): Problem[] {
  const { signIn } = (document.value ?? {}) as { readonly signIn?: Partial<Static<typeof SignInFile>> | null }
  const { oidc, publicUrl } = signIn ?? {}
  if (oidc === undefined || typeof oidc !== 'object' || oidc === null) return []
  const at = (path: readonly string[], message: string): Problem => document.problemAt(['signIn', ...path], message)
  return [
    ...(publicUrl === undefined
      ? [at(['oidc'], 'signIn.oidc needs signIn.publicUrl: the origin that the provider sends people back to')]
      : []),
    ...(typeof oidc.issuer === 'string' && isRisky(oidc.issuer)
      ? [at(['oidc', 'issuer'], 'the issuer is not https; only one on this machine may be reached in the clear')]
      : []),
  ]
}

function isRisky(issuer: string): boolean {
  if (!URL.canParse(issuer)) return true
  const { protocol, hostname } = new URL(issuer)
  return protocol !== 'https:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}
