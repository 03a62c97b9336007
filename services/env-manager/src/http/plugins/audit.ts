import type { AuditRecord } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { addAuditRecord } from '../../operations/state/audit.js'
import type { Caller } from '../caller.js'
import { RefusalLimit } from './refusal-limit.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a request of this route is called in the audit log; absent: it is not kept there. */
    readonly audit?: string
  }
}

const MAX_TEXT = 200

/** Keeps who asked for what, before the answer goes out: also what was refused to somebody who is known, within bounds. */
export function installAudit(
  app: FastifyInstance,
  { store, clock }: { readonly store: RevisionedStore; readonly clock: Clock },
): void {
  const limit = new RefusalLimit(clock)
  app.addHook('onSend', async (request, reply, payload) => {
    const { audit } = request.routeOptions.config
    if (audit === undefined || request.caller === null) return payload
    const record = recordOf(request, reply, request.caller)
    if (record.outcome === 'refused' && !limit.takes(record.actor.subject ?? record.actor.name)) return payload
    try {
      await addAuditRecord(store, { ...record, action: audit, atMs: clock.now() })
    } catch (error) {
      // What was asked for is done or refused by now; an answer that says otherwise would be wrong.
      request.log.error({ err: error, audit }, 'a record of the audit log could not be written')
    }
    return payload
  })
}

function recordOf(
  request: FastifyRequest,
  { statusCode }: FastifyReply,
  { name, role, by, subject }: Caller,
): Omit<AuditRecord, 'auditId' | 'at' | 'action'> {
  const named = paramsOf(request)
  return {
    actor: { name: name.slice(0, MAX_TEXT), role, by, subject: subject.slice(0, MAX_TEXT) },
    environment: named['name'] ?? null,
    detail: named['service'] ?? named['runId'] ?? null,
    outcome: statusCode < 400 ? 'accepted' : statusCode < 500 ? 'refused' : 'failed',
    status: statusCode,
    address: request.ip,
  }
}

function paramsOf({ params }: FastifyRequest): Readonly<Record<string, string>> {
  if (typeof params !== 'object' || params === null) return {}
  return Object.fromEntries(Object.entries(params).map(([key, value]) => [key, String(value).slice(0, MAX_TEXT)]))
}
