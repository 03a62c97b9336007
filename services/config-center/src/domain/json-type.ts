/** JSON's name of a value's type; `integer` for whole numbers, `absent` for undefined. */
export function jsonType(value: unknown): string {
  if (value === undefined) return 'absent'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}
