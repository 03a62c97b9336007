/** The lightest service there is: answers anything with `ok`, and goes when it is told to. */
export const TINY_PROGRAM = `
  process.on('SIGTERM', () => process.exit(0))
  require('node:http').createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT), process.env.HOST)`

/** `service.yaml` of it. */
export function tinyDefinition(image: string): string {
  return `apiVersion: tributary/v1\nkind: Service\nname: tiny\nhealth: { readiness: / }\nrun: { image: '${image}' }\n`
}
