import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { didYouMean } from './did-you-mean.js'
import type { Problem } from './problem.js'
import type { YamlDocument, YamlPath } from './yaml-file.js'

interface SchemaError {
  readonly keyword: string
  readonly schemaPath: string
  readonly instancePath: string
  readonly params: object
  readonly message: string
}

/** Where a document breaks a schema, in the file's own lines, each with what to do. Empty: it keeps it. */
export function schemaProblems(document: YamlDocument, schema: TSchema): readonly Problem[] {
  if (Value.Check(schema, document.value)) return []
  const errors: readonly SchemaError[] = Value.Errors(schema, document.value)
  const unions = errors.filter((error) => error.keyword === 'anyOf').map((error) => error.schemaPath)
  return errors
    .filter((error) => !unions.some((union) => error.schemaPath.startsWith(`${union}/anyOf/`)))
    .flatMap((error) => problemsOf(error, { document, schema }))
}

interface Context {
  readonly document: YamlDocument
  readonly schema: TSchema
}

function problemsOf(error: SchemaError, { document, schema }: Context): readonly Problem[] {
  const path = pointerSteps(error.instancePath)
  const rule = lookUp(schema, pointerSteps(error.schemaPath.replace(/^#/, '')))
  const here = (message: string): readonly Problem[] => [document.problemAt(path, message)]
  switch (error.keyword) {
    // Said again, better, by `additionalProperties` of the parent.
    case 'boolean':
      return []
    case 'additionalProperties':
      return namesIn(error.params, 'additionalProperties').map((name) =>
        document.problemAt([...path, name], unknownField(name, { rule, path }), 'key'),
      )
    case 'required':
      return here(`${placeOf(path)} lacks ${listOf(namesIn(error.params, 'requiredProperties'))}; add it`)
    case 'type':
      return here(`${placeOf(path)} must be ${typeOf(rule)}, but it is ${kindOf(lookUp(document.value, path))}`)
    case 'anyOf':
    case 'const':
    case 'enum':
      return here(`${placeOf(path)} must be ${choicesOf(rule)}, but it is ${shown(lookUp(document.value, path))}`)
    case 'pattern':
      return here(`${placeOf(path)} must be ${describe(rule)}, but it is ${shown(lookUp(document.value, path))}`)
    default:
      return here(`${placeOf(path)} ${error.message}`)
  }
}

function unknownField(name: string, { rule, path }: { readonly rule: unknown; readonly path: YamlPath }): string {
  const allowed = isObject(rule) && isObject(rule['properties']) ? Object.keys(rule['properties']) : []
  const guess = didYouMean(name, allowed)
  const where = path.length === 0 ? '' : ` in ${placeOf(path)}`
  const advice = guess === undefined ? `allowed are: ${allowed.join(', ')}` : `did you mean "${guess}"?`
  return `unknown field "${name}"${where}; ${advice}`
}

function choicesOf(rule: unknown): string {
  const options = isObject(rule) && Array.isArray(rule['anyOf']) ? rule['anyOf'] : [rule]
  return options
    .map((option) => (isObject(option) && 'const' in option ? shown(option['const']) : typeOf(option)))
    .join(' or ')
}

function describe(rule: unknown): string {
  if (!isObject(rule)) return 'another text'
  return typeof rule['description'] === 'string' ? `a ${rule['description']}` : `text like ${String(rule['pattern'])}`
}

function typeOf(rule: unknown): string {
  const type = isObject(rule) ? rule['type'] : undefined
  if (typeof type !== 'string') return 'another value'
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a mapping' : `the ${typeof value} ${shown(value)}`
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

function placeOf(path: YamlPath): string {
  if (path.length === 0) return 'the document'
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('')
}

function listOf(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' and ')
}

function namesIn(params: object, key: string): readonly string[] {
  const names: unknown = (params as Readonly<Record<string, unknown>>)[key]
  return Array.isArray(names) ? names.map(String) : []
}

/** Steps of a JSON Pointer (RFC 6901); whole numbers become indexes. */
function pointerSteps(pointer: string): YamlPath {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^(0|[1-9]\d*)$/.test(step) ? Number(step) : step))
}

function lookUp(root: unknown, path: YamlPath): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Readonly<Record<string, unknown>>)[String(step)]
  }
  return value
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
