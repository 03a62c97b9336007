import { Type, type Static } from 'typebox'
import { Instant } from '../names.js'

const strict = { additionalProperties: false } as const

/** Roles of people, weakest first. Tokens of the config center map to them: viewer, deployer (release manager), admin. */
export const PERSON_ROLES = ['viewer', 'developer', 'release-manager', 'admin'] as const
export const PersonRole = Type.Enum(PERSON_ROLES)
export type PersonRole = (typeof PERSON_ROLES)[number]

/**
 * What can be asked of the env-manager.
 *
 * | permission | what |
 * | --- | --- |
 * | read | everything that is shown: environments, runs, logs, topology, config, audit log |
 * | change-environment | pin, extend, sleep, wake, redeploy, roll back, re-run, look again, probe |
 * | delete-environment | tear down |
 * | change-config | write documents, entries and tenants of the config center |
 * | send-hints | say that something was pushed |
 * | report-requests | say that an environment is used, which wakes one that is asleep |
 * | approve-removals | let the manager remove the environments that its breaker holds back |
 * | manage-tokens | make and revoke tokens of the config center |
 */
export const PERMISSIONS = [
  'read',
  'change-environment',
  'delete-environment',
  'change-config',
  'send-hints',
  'report-requests',
  'approve-removals',
  'manage-tokens',
] as const
export const Permission = Type.Enum(PERMISSIONS)
export type Permission = (typeof PERMISSIONS)[number]

/** On what a permission holds. `features`: environments of feature branches and their tenants. */
export const PERMISSION_EXTENTS = ['everything', 'features', 'nothing'] as const
export const PermissionExtent = Type.Enum(PERMISSION_EXTENTS)
export type PermissionExtent = (typeof PERMISSION_EXTENTS)[number]

/** What the caller may do; `neededRole` is the weakest role that may do it on everything, to be named when it is refused. */
export const GrantedPermission = Type.Object(
  { permission: Permission, extent: PermissionExtent, neededRole: PersonRole },
  strict,
)
export type GrantedPermission = Static<typeof GrantedPermission>

/** Who is signed in. `csrf` is to be sent as the header `x-tributary-csrf` with every write; null for a bearer token, which needs none. */
export const SessionInfo = Type.Object(
  {
    name: Type.String({ description: 'a person’s name, or the token’s' }),
    role: PersonRole,
    by: Type.Union([Type.Literal('oidc'), Type.Literal('token'), Type.Literal('bearer')]),
    csrf: Type.Union([Type.String(), Type.Null()]),
    expiresAt: Type.Union([Instant, Type.Null()], { description: 'whatever happens; null: as long as the token' }),
    idleSeconds: Type.Union([Type.Integer(), Type.Null()], {
      description: 'the session ends when it is not used for so long',
    }),
    permissions: Type.Array(GrantedPermission),
  },
  strict,
)
export type SessionInfo = Static<typeof SessionInfo>

/** Answer of `GET /v1/session`: who asks (null: nobody is signed in), and how one can sign in. */
export const SessionState = Type.Object(
  {
    session: Type.Union([SessionInfo, Type.Null()]),
    signIn: Type.Object(
      {
        token: Type.Literal(true),
        oidc: Type.Union([Type.Null(), Type.Object({ label: Type.String(), path: Type.String() }, strict)], {
          description: 'open `path` in the browser, with ?returnTo=/console/…',
        }),
      },
      strict,
    ),
  },
  { $id: 'SessionState', additionalProperties: false },
)
export type SessionState = Static<typeof SessionState>

/** Body of `POST /v1/session`. */
export const TokenSignIn = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 512 }) },
  { $id: 'TokenSignIn', additionalProperties: false },
)
export type TokenSignIn = Static<typeof TokenSignIn>

/** Header that every write by cookie needs: the session's `csrf`. */
export const CSRF_HEADER = 'x-tributary-csrf'
