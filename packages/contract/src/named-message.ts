/**
 * A message about a service, such as a condition's, that names it: as `service: message`, unless the message begins with the name or with `could not … <name>`.
 * Pure.
 */
export function namedMessage(service: string, message: string): string {
  const isNamed = [message, message.replace(/^could not \w+ /i, '')].some(
    (said) => said.startsWith(service) && !/^[a-z0-9-]/i.test(said.slice(service.length)),
  )
  return isNamed ? message : `${service}: ${message}`
}
