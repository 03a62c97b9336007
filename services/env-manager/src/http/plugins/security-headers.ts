import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import type { SignInConfig } from '../../domain/sign-in-config.js'

/** Nothing is loaded but the console's own files, nothing runs inline, and no other page may hold it in a frame. */
const CONTENT_POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
  formAction: ["'self'"],
}

/** Strict headers on every answer. Promises https for the future only when `publicUrl` says that it is there. */
export async function installSecurityHeaders(
  app: FastifyInstance,
  { publicUrl }: Pick<SignInConfig, 'publicUrl'>,
): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_POLICY },
    strictTransportSecurity: publicUrl?.startsWith('https:') ?? false,
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  })
}
