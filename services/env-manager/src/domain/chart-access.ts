type Fields = Readonly<Record<string, unknown>>

const GROUP = 'rbac.authorization.k8s.io'
/** What the platform sets in a namespace, and what gives rights in it: a service may look at them. */
const PLATFORM_RESOURCES = /^(namespaces|limitranges|networkpolicies|resourcequotas|roles|rolebindings)(\/|$)/
const READING = ['get', 'list', 'watch']
/** Whoever has these has every other right too. */
const UNBOUNDED_VERBS = ['bind', 'escalate', 'impersonate']

/**
 * Why a Role or RoleBinding of a chart is refused; empty when it may be made, and for all other kinds. The manager may give the role that it has itself in the
 * namespace; a chart that bound its own pods to it could take the quota, the network rules and the bounds of pods away.
 */
export function accessProblemsOf(object: object, kubeNamespace: string): readonly string[] {
  const { apiVersion, kind, roleRef, subjects, rules } = fieldsOf(object)
  if (typeof apiVersion !== 'string' || !apiVersion.startsWith(`${GROUP}/`)) return []
  if (kind === 'RoleBinding')
    return [...problemsOfRef(fieldsOf(roleRef)), ...problemsOfSubjects(subjects, kubeNamespace)]
  return kind === 'Role' ? listOf(rules).flatMap((rule) => problemsOfRule(fieldsOf(rule))) : []
}

function problemsOfRef({ kind, name }: Fields): readonly string[] {
  if (kind === 'Role') return []
  return [`binds the ${textOf(kind)} ${textOf(name)}; bind a Role of the chart itself, which says what it needs`]
}

function problemsOfSubjects(subjects: unknown, kubeNamespace: string): readonly string[] {
  const foreign = listOf(subjects)
    .map(fieldsOf)
    .find(
      ({ kind, namespace }) => kind !== 'ServiceAccount' || (namespace !== undefined && namespace !== kubeNamespace),
    )
  if (foreign === undefined) return []
  return [
    `binds ${textOf(foreign['kind'])} ${textOf(foreign['name'])}; bind ServiceAccounts of the same namespace only`,
  ]
}

function problemsOfRule({ apiGroups, resources, verbs }: Fields): readonly string[] {
  const all = [apiGroups, resources, verbs].flatMap(listOf)
  if (all.some((one) => typeof one !== 'string' || one.includes('*'))) {
    return ['gives rights by *; name groups, resources and verbs']
  }
  const asked = listOf(verbs).map(String)
  const unbounded = asked.find((verb) => UNBOUNDED_VERBS.includes(verb.toLowerCase()))
  if (unbounded !== undefined) return [`gives the right to ${unbounded}; a service may not`]
  const held = listOf(resources)
    .map(String)
    .find((resource) => PLATFORM_RESOURCES.test(resource.toLowerCase()))
  const change = asked.find((verb) => !READING.includes(verb))
  return held === undefined || change === undefined
    ? []
    : [`gives the right to ${change} ${held}; they are the platform's`]
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 100) : 'nothing'
}
