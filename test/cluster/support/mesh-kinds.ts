import { eventually } from '@tributary/testkit'

type Schema = Readonly<Record<string, unknown>>

const text: Schema = { type: 'string', minLength: 1 }
/** May be empty: the core group is. The validator of the oldest clusters takes an empty text for null. */
const group: Schema = { type: 'string', nullable: true }
const port: Schema = { type: 'integer', minimum: 1, maximum: 65_535 }
const list = (items: Schema, bounds: { readonly minItems?: number; readonly maxItems: number }): Schema => ({
  type: 'array',
  items,
  ...bounds,
})
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
})
const serviceRef = object(
  { group, kind: { type: 'string', enum: ['Service', 'Gateway'] }, namespace: text, name: text, port },
  ['name'],
)

/**
 * As much of the Gateway API's and Istio's own definitions as is written there, with their bounds: the API server drops what they do not know and refuses what
 * does not fit.
 */
const KINDS = {
  httproutes: {
    group: 'gateway.networking.k8s.io',
    version: 'v1',
    kind: 'HTTPRoute',
    spec: object(
      {
        hostnames: list(text, { maxItems: 16 }),
        parentRefs: list(serviceRef, { maxItems: 32 }),
        rules: list(
          object({
            matches: list(
              object({
                path: object({
                  type: { type: 'string', enum: ['Exact', 'PathPrefix', 'RegularExpression'] },
                  value: text,
                }),
                headers: list(
                  object(
                    {
                      type: { type: 'string', enum: ['Exact', 'RegularExpression'] },
                      name: { ...text, maxLength: 256, pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$" },
                      value: { ...text, maxLength: 4_096 },
                    },
                    ['name', 'value'],
                  ),
                  { maxItems: 16 },
                ),
              }),
              { maxItems: 64 },
            ),
            backendRefs: list(serviceRef, { maxItems: 16 }),
          }),
          { minItems: 1, maxItems: 16 },
        ),
      },
      ['rules'],
    ),
  },
  referencegrants: {
    group: 'gateway.networking.k8s.io',
    version: 'v1beta1',
    kind: 'ReferenceGrant',
    spec: object(
      {
        from: list(object({ group, kind: text, namespace: text }, ['group', 'kind', 'namespace']), {
          minItems: 1,
          maxItems: 16,
        }),
        to: list(object({ group, kind: text, name: text }, ['group', 'kind']), { minItems: 1, maxItems: 16 }),
      },
      ['from', 'to'],
    ),
  },
  virtualservices: {
    group: 'networking.istio.io',
    version: 'v1beta1',
    kind: 'VirtualService',
    spec: object({
      hosts: list(text, { maxItems: 256 }),
      http: list(
        object({
          name: text,
          match: list(
            object({
              port,
              headers: { type: 'object', additionalProperties: object({ exact: text, regex: text }) },
            }),
            { maxItems: 256 },
          ),
          route: list(object({ destination: object({ host: text, port: object({ number: port }) }, ['host']) }), {
            maxItems: 256,
          }),
          directResponse: object({ status: { type: 'integer' }, body: object({ string: text }) }, ['status']),
        }),
        { maxItems: 256 },
      ),
    }),
  },
} as const

/** A kind of a mesh, by its plural. */
export type MeshKind = keyof typeof KINDS

type Kubectl = (args: readonly string[], input?: string) => Promise<string>

/** Lets the cluster know the kinds; resolves when it serves them. */
export async function installMeshKinds(kubectl: Kubectl, names: readonly MeshKind[]): Promise<void> {
  const items = names.map(definitionOf)
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  for (const name of names) await eventually(() => kubectl(['get', `${name}.${KINDS[name].group}`, '-A']))
}

/** Takes the kinds away again, with everything of them. */
export async function removeMeshKinds(kubectl: Kubectl, names: readonly MeshKind[]): Promise<void> {
  const crds = names.map((name) => `${name}.${KINDS[name].group}`)
  await kubectl(['delete', 'customresourcedefinition', ...crds, '--ignore-not-found', '--wait', '--timeout=60s'])
}

function definitionOf(plural: MeshKind): object {
  const { group, version, kind, spec } = KINDS[plural]
  const names = { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() }
  const schema = { openAPIV3Schema: object({ spec }) }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      // Names below k8s.io are asked for such a word.
      annotations: { 'api-approved.kubernetes.io': 'unapproved, a part for tests' },
    },
    spec: { group, scope: 'Namespaced', names, versions: [{ name: version, served: true, storage: true, schema }] },
  }
}
