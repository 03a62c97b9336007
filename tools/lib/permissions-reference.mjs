// What the chart lets each account do, as `kubectl auth can-i --list` has it: docs/reference/permissions.md.

const HEADER = `# What Tributary may do on a cluster

Generated from \`charts/tributary\` (npm run generate). As \`kubectl auth can-i --list\` shows it for each account, without what every account may do
(ask who it is and what it may). In a release \`tributary\` in the namespace \`tributary\`; with other names the names differ.

No account has a wildcard. \`tributary doctor\` asks the API server for each permission of the env-manager, and says which is missing.
`

const ACCOUNTS = [
  {
    name: 'tributary-config-center',
    title: 'Config center',
    why: 'Asks whose the token of a pod is (TokenReview), and watches which namespaces are environments. It reads no Secret, no pod and nothing else.',
  },
  {
    name: 'tributary-env-manager',
    title: 'Env-manager',
    why: 'Makes and removes the namespaces of environments, and runs Helm in them. Where the cluster has ValidatingAdmissionPolicy (1.30 and later), every change outside of namespaces that bear the label `tributary.dev/instance` of this installation is refused as well. Elsewhere, know this: whoever has this account can bind the role of environments in any namespace.',
  },
  {
    name: 'tributary-gateway',
    title: 'Gateway',
    why: 'Nothing: it has no token for the API server. The config center knows it by a token of another audience.',
  },
]

/** Renders the page from the objects that `helm template` printed, by default and for each setting of `kubernetes.mesh`. */
export function renderPermissions(objects, meshes) {
  const sections = ACCOUNTS.flatMap((account) => [
    section(account, objects),
    ...(account.name.endsWith('env-manager') ? [meshSection(account.name, objects, meshes)] : []),
  ])
  return [HEADER, ...sections, bootstrapSection(objects)].join('\n')
}

function section({ name, title, why }, objects) {
  const cluster = rulesBoundTo(name, objects, 'ClusterRoleBinding')
  const system = rulesBoundTo(name, objects, 'RoleBinding')
  const tables = [
    ['In the whole cluster', cluster],
    [
      'In the namespaces of its environments, by a RoleBinding in each',
      name.endsWith('env-manager') ? environmentRole(objects).rules : [],
    ],
    ['In its own namespace', system],
  ].filter(([, rules]) => rules.length > 0)
  return `## ${title} (\`${name}\`)\n\n${why}\n${tables.map(([where, rules]) => `\n${where}:\n\n${table(rules)}`).join('')}`
}

const MESHES = {
  gamma:
    'With `kubernetes.mesh: gamma` it makes header routes of the Gateway API at the Services of baselines, and may besides:',
  istio: 'With `kubernetes.mesh: istio` it makes VirtualServices there, and may besides:',
  none: 'With `kubernetes.mesh: none` written out it removes what an earlier setting made, and may besides:',
}

function meshSection(account, objects, meshes) {
  const parts = Object.entries(MESHES).map(([mesh, why]) => {
    const added = (rules) => rules(meshes[mesh]).filter((rule) => !isIn(rule, rules(objects)))
    const cluster = added((all) => rulesBoundTo(account, all, 'ClusterRoleBinding'))
    const environment = added((all) => environmentRole(all).rules)
    return `${why}\n\nIn the whole cluster:\n\n${table(cluster)}\nIn the namespaces of its environments:\n\n${table(environment)}`
  })
  return `### With a service mesh\n\n${parts.join('\n')}`
}

function isIn(rule, rules) {
  return rules.some((one) => JSON.stringify(one) === JSON.stringify(rule))
}

function environmentRole(objects) {
  return objects.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name.endsWith('-environment'))
}

function bootstrapSection(objects) {
  const role = objects.find(({ kind, metadata }) => kind === 'Role' && metadata.name.endsWith('-bootstrap'))
  return `## Bootstrap (\`tributary-bootstrap\`)\n\nA Job before each install and upgrade makes the Secret with the first admin token, unless it is there. Account and role go with it.\n\n${table(role.rules)}`
}

function rulesBoundTo(account, objects, kind) {
  const bindings = objects.filter(
    (object) => object.kind === kind && object.subjects.some(({ name }) => name === account),
  )
  return bindings.flatMap(({ roleRef }) => {
    const role = objects.find((object) => object.kind === roleRef.kind && object.metadata.name === roleRef.name)
    return role.rules
  })
}

function table(rules) {
  const rows = rules.flatMap(({ apiGroups, resources, resourceNames = [], verbs }) =>
    resources.map((resource) => [
      `${resource}${apiGroups[0] === '' ? '' : `.${apiGroups[0]}`}`,
      `[${resourceNames.join(' ')}]`,
      `[${verbs.join(' ')}]`,
    ]),
  )
  const all = [['Resources', 'Resource Names', 'Verbs'], ...rows.sort(([left], [right]) => (left < right ? -1 : 1))]
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => row[column].length)) + 3)
  const lines = all.map(([first, second, third]) => `${first.padEnd(widths[0])}${second.padEnd(widths[1])}${third}`)
  return `\`\`\`\n${lines.join('\n')}\n\`\`\`\n`
}
