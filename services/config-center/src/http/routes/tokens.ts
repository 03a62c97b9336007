import { CreatedToken, CreateToken, TokenInfo } from '@tributary/contract'
import { Type } from 'typebox'
import { may } from '../../domain/access.js'
import { createToken, describeToken, describeWorkload } from '../../operations/create-token.js'
import { readCatalog, type OperationContext } from '../../operations/operation-context.js'
import { getToken, revokeToken } from '../../operations/revoke-token.js'
import { requireMay } from '../plugins/authenticate.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers, listOf, strictObject } from '../route-schemas.js'
import { failure } from '../../errors.js'

const TokenParams = strictObject({ tokenId: Type.String({ pattern: '^[0-9a-f]{16}$' }) })

/** `/v1/tokens`. A deployer deals with tenant tokens only, an admin with all. */
export function tokenRoutes(app: TypedApp, { context }: RouteDeps): void {
  app.post(
    '/v1/tokens',
    {
      config: { access: 'manage-tenant-tokens' },
      schema: {
        summary: 'Make a token; its secret is shown this once',
        body: CreateToken,
        response: answers({ 201: CreatedToken }),
      },
    },
    async ({ body, principal }, reply) => {
      if (body.role !== 'tenant') requireMay(principal, 'manage-tokens')
      const created = await createToken(context, body, principal)
      // Neither a browser nor a proxy may keep the secret.
      return reply.header('cache-control', 'no-store').status(201).send(created)
    },
  )

  app.get(
    '/v1/tokens',
    {
      config: { access: 'manage-tenant-tokens' },
      schema: {
        summary: 'List tokens, without secrets',
        response: answers({ 200: listOf({ tokens: Type.Array(TokenInfo) }) }),
      },
    },
    async ({ principal }) => {
      const { storeRevision } = await readCatalog(context)
      const all = may(principal, 'manage-tokens')
      const tokens = context.tokens.list().filter((record) => all || record.role === 'tenant')
      return { storeRevision: String(storeRevision), tokens: tokens.map(describeToken) }
    },
  )

  singleTokenRoutes(app, context)
}

function singleTokenRoutes(app: TypedApp, context: OperationContext): void {
  app.get(
    '/v1/tokens/self',
    {
      config: { access: 'authenticated' },
      schema: { summary: 'The token of this request', response: answers({ 200: TokenInfo }) },
    },
    async ({ principal }) => {
      const record = context.tokens.find(principal.tokenId)
      if (record !== undefined) return describeToken(record)
      const workload = context.workloads?.find(principal.tokenId)
      if (workload !== undefined) return describeWorkload(workload)
      throw failure('UNAUTHENTICATED', 'The bearer token was revoked during the request.')
    },
  )

  app.delete(
    '/v1/tokens/:tokenId',
    {
      config: { access: 'manage-tenant-tokens' },
      schema: {
        summary: 'Revoke a token and end its streams',
        params: TokenParams,
        response: answers({ 204: Type.Null() }),
      },
    },
    async ({ params: { tokenId }, principal }, reply) => {
      const record = await getToken(context, tokenId)
      if (record.role !== 'tenant') requireMay(principal, 'manage-tokens')
      await revokeToken(context, tokenId, principal)
      return reply.status(204).send(null)
    },
  )
}
