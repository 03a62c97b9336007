/** A repository of one service that starts at once and needs nothing: what is tested is around it. */
export function tinyService(text: string): Record<string, string> {
  return {
    'service.yaml': [
      'apiVersion: tributary/v1',
      'kind: Service',
      'name: tiny',
      'ports: [{ name: http, port: 8080 }]',
      'health: { readiness: / }',
      'run: { local: { command: node server.mjs } }',
      '',
    ].join('\n'),
    'server.mjs': `import { createServer } from 'node:http'
const body = JSON.stringify({ tenant: process.env.TRIBUTARY_TENANT, text: ${JSON.stringify(text)} })
createServer((_request, response) => response.end(body)).listen(Number(process.env.PORT), process.env.HOST)
`,
  }
}
