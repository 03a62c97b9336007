import type { Tenant } from '@tributary/contract'

/** A tenant in the tree: how many tenants it overlays. */
export interface TreeLine {
  readonly tenant: Tenant
  readonly depth: number
}

/** The tenants, each after the one that it overlays. With a text only those whose name holds it, and those above them. */
export function treeOf(tenants: readonly Tenant[], text: string): readonly TreeLine[] {
  const names = new Set(tenants.map(({ name }) => name))
  const kept = keptFor(tenants, text)
  const children = new Map<string | null, Tenant[]>()
  for (const tenant of [...tenants].sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const above = tenant.base !== null && names.has(tenant.base) ? tenant.base : null
    children.set(above, [...(children.get(above) ?? []), tenant])
  }
  const lines: TreeLine[] = []
  const visit = (above: string | null, depth: number): void => {
    for (const tenant of children.get(above) ?? []) {
      if (kept.has(tenant.name)) lines.push({ tenant, depth })
      visit(tenant.name, depth + 1)
    }
  }
  visit(null, 0)
  return lines
}

function keptFor(tenants: readonly Tenant[], text: string): ReadonlySet<string> {
  return new Set(tenants.filter(({ name }) => name.includes(text)).flatMap(({ name, chain }) => [name, ...chain]))
}
