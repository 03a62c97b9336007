import type { SchemaViolation } from '@tributary/contract'
import type { JSX } from 'preact'

/** What a write would break by schemas, under a sentence that says so; nothing when it breaks nothing. */
export function ViolationNote(props: {
  readonly says: string
  readonly violations: readonly SchemaViolation[]
}): JSX.Element | null {
  if (props.violations.length === 0) return null
  return (
    <div class="note tone-bad" role="alert">
      <strong>{props.says}</strong>
      <ul>
        {props.violations.map(({ tenant, service, path, rule }) => (
          <li key={`${tenant} ${service} ${path} ${rule}`}>
            {tenant}/{service} <code>{path}</code>: {rule}
          </li>
        ))}
      </ul>
    </div>
  )
}
