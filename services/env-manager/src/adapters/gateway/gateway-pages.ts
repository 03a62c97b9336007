import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ErrorBody } from '@tributary/contract'
import { isAppError, type AppError, type ErrorKind } from '@tributary/kit'
import { failure } from '../../errors.js'
import type { GatewayService } from './gateway-routing.js'

/** A page that both people and programs can read. */
export interface GatewayPage {
  readonly status: number
  readonly title: string
  readonly json: unknown
  readonly paragraphs: readonly string[]
  /** After how many seconds it is to be asked for again. */
  readonly retryAfterSeconds?: number
  readonly links: readonly { readonly href: string; readonly text: string; readonly note: string }[]
}

const STATUS_BY_KIND: Partial<Record<ErrorKind, number>> = {
  not_found: 404,
  invalid_argument: 421,
  permission_denied: 403,
  gone: 410,
  unavailable: 502,
}

/** Not 502: nothing is broken, and clients know by the status that they may come back. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = { GATEWAY_ENVIRONMENT_ASLEEP: 503 }
/** About how long a service takes to start. */
const WAKE_SECONDS = 2

/** Lists the environments that are served. */
export function rootPage(environments: readonly { readonly environment: string; readonly url: string }[]): GatewayPage {
  return {
    status: 200,
    title: 'Environments',
    json: { environments },
    paragraphs: [
      environments.length === 0
        ? 'No environment is served yet. Push a branch to get one.'
        : 'Each branch has its own environment:',
    ],
    links: environments.map(({ environment, url }) => ({ href: url, text: environment, note: '' })),
  }
}

/** Lists the services that an environment sees. */
export function environmentPage(environment: string, services: readonly GatewayService[]): GatewayPage {
  return {
    status: 200,
    title: environment,
    json: { environment, services: services.map((service) => ({ ...service, path: `/${service.service}/` })) },
    paragraphs: [
      services.length === 0
        ? 'This environment sees no service yet.'
        : 'Services of this environment, and who answers:',
    ],
    links: services.map(({ service, state, owner }) => ({
      href: `/${service}/`,
      text: service,
      note: state === 'own' ? 'own' : `${state === 'masked' ? 'masked by' : 'inherited from'} ${owner}`,
    })),
  }
}

const HEADINGS: Readonly<Record<string, string>> = {
  GATEWAY_HOST_INVALID: 'No environment is served at this address',
  GATEWAY_ENVIRONMENT_UNKNOWN: 'There is no such environment',
  GATEWAY_NOT_READY: 'Try again in a moment',
  GATEWAY_SERVICE_UNKNOWN: 'There is no such service here',
  GATEWAY_SERVICE_MASKED: 'This environment hides the service',
  GATEWAY_UPSTREAM_DOWN: 'The service does not answer',
  GATEWAY_CALLBACK_FORGED: 'This callback address leads nowhere',
  GATEWAY_CALLBACK_EXPIRED: 'This callback address is too old',
  GATEWAY_CALLBACK_GONE: 'The environment of this callback is gone',
  GATEWAY_ENVIRONMENT_ASLEEP: 'The environment is waking up',
  GATEWAY_CALLBACK_UNDECIDED: 'Try this callback again in a moment',
}

/** Tells what went wrong. */
export function errorPage(error: AppError): GatewayPage {
  const { kind, code, message, retryable, details } = error
  const body: ErrorBody = { error: { kind, code, message, retryable, details } }
  return {
    status: STATUS_BY_CODE[code] ?? STATUS_BY_KIND[kind] ?? 500,
    ...(code === 'GATEWAY_ENVIRONMENT_ASLEEP' ? { retryAfterSeconds: WAKE_SECONDS } : {}),
    title: headingOf(error),
    json: body,
    paragraphs: [message, `Error code: ${code}`],
    links: linksOf(details),
  }
}

function headingOf({ code }: AppError): string {
  return HEADINGS[code] ?? 'The request could not be answered'
}

/** What was thrown while a request was dealt with, as an error of the catalogue. */
export function asGatewayError(error: unknown): AppError {
  return isAppError(error)
    ? error
    : failure('INTERNAL', 'the gateway failed at this request; this is a bug', { cause: error })
}

/** Sends a page as HTML to browsers and as JSON to all others. */
export function sendPage(request: IncomingMessage, response: ServerResponse, page: GatewayPage): void {
  const wantsHtml = (request.headers.accept ?? '').includes('text/html')
  const body = Buffer.from(wantsHtml ? html(page) : `${JSON.stringify(page.json)}\n`)
  if (page.retryAfterSeconds !== undefined) response.setHeader('retry-after', page.retryAfterSeconds)
  response.writeHead(page.status, {
    'content-type': wantsHtml ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function linksOf(details: Readonly<Record<string, unknown>>): GatewayPage['links'] {
  const { services } = details
  if (!Array.isArray(services)) return []
  return services.map((service) => ({ href: `/${String(service)}/`, text: String(service), note: '' }))
}

function html(page: GatewayPage): string {
  const items = page.links.map(
    ({ href, text, note }) =>
      `<li><a href="${escapeHtml(href)}">${escapeHtml(text)}</a> <small>${escapeHtml(note)}</small></li>`,
  )
  const { retryAfterSeconds } = page
  // No script: the page's own policy forbids every one.
  const refresh = retryAfterSeconds === undefined ? '' : `<meta http-equiv="refresh" content="${retryAfterSeconds}">`
  const paragraphs = page.paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`)
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(page.title)}</title>${refresh}
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}small{opacity:.7}</style>
<h1>${escapeHtml(page.title)}</h1>
${paragraphs.join('\n')}
<ul>${items.join('\n')}</ul>
</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
