import {
  PROBE_HEADER,
  PROBE_PATH_HEADER,
  ProbeAnswerShape,
  type Endpoint,
  type ProbeAnswer,
  type ProbeHop,
} from '@tributary/contract'
import { Compile } from 'typebox/compile'
import { request } from 'undici'
import type { ProbeOutcome } from '../../domain/probe.js'
import { messageOf } from '../dependencies.js'

/** A probe that is to be sent. */
export interface ProbeRequest {
  readonly environment: string
  readonly endpoint: Endpoint
  readonly token: string
  /** Services that it is passed on to. */
  readonly path: readonly string[]
  readonly signal: AbortSignal
}

const TIMEOUT_PER_HOP_MS = 3_000
const MAX_ANSWER_BYTES = 64 * 1024

const answerShape = Compile(ProbeAnswerShape)

/** Sends a probe to a copy of a service, as a request of the environment; never rejects. */
export async function sendProbe(probe: ProbeRequest): Promise<ProbeOutcome> {
  try {
    const answer = readAnswer(await askText(probe))
    if (answer !== undefined) return { answer }
    return {
      error: 'it answered with something else: the middleware of the SDK is missing, or stands behind other handlers',
    }
  } catch (error) {
    return { error: messageOf(error) }
  }
}

async function askText({ environment, endpoint, token, path, signal }: ProbeRequest): Promise<string> {
  const { protocol, host, port } = endpoint
  const bracketed = host.includes(':') ? `[${host}]` : host
  const { body } = await request(`${protocol === 'https' ? 'https' : 'http'}://${bracketed}:${port}/`, {
    headers: {
      baggage: `tributary-tenant=${environment}`,
      [PROBE_HEADER]: token,
      [PROBE_PATH_HEADER]: path.join(','),
    },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_PER_HOP_MS * (path.length + 1))]),
  })
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_ANSWER_BYTES) throw new Error(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readAnswer(text: string): ProbeAnswer | undefined {
  try {
    return checkedAnswer(JSON.parse(text))
  } catch {
    return undefined
  }
}

function checkedAnswer(value: unknown): ProbeAnswer | undefined {
  if (!answerShape.Check(value)) return undefined
  const { service, tenant, instance, contextTenant, next } = value
  return { service, tenant, instance, contextTenant, next: next === null ? null : checkedHop(next) }
}

function checkedHop({ to, owner, answer, error }: Omit<ProbeHop, 'answer'> & { readonly answer: unknown }): ProbeHop {
  const checked = answer === null ? null : checkedAnswer(answer)
  if (checked !== undefined) return { to, owner, answer: checked, error }
  return { to, owner, answer: null, error: 'its answer cannot be read by this version' }
}
