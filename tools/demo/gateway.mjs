import { request } from 'node:http'

const TIMEOUT_MS = 5_000

/**
 * GETs JSON through the gateway the way a browser would. The connection goes to the gateway's own address and the name into the Host
 * header, because not every system resolves `*.localhost`.
 */
export function getThroughGateway(gatewayUrl, environment, path) {
  const { hostname, port } = new URL(gatewayUrl)
  return new Promise((resolve, reject) => {
    const headers = { host: `${environment}.localhost:${port}`, accept: 'application/json' }
    const call = request({ hostname, port, path, headers, agent: false, timeout: TIMEOUT_MS }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode !== 200)
          return reject(new Error(`GET ${environment}${path} answers ${response.statusCode}`))
        resolve(JSON.parse(text))
      })
    })
    call.on('timeout', () => call.destroy(new Error(`GET ${environment}${path}: no answer`)))
    call.on('error', reject)
    call.end()
  })
}
