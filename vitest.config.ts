import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const sources = [
  'packages/*/src/**/*.test.ts',
  'services/*/src/**/*.test.ts',
  'sdk/src/**/*.test.ts',
  'cli/src/**/*.test.ts',
  'bench/src/**/*.test.ts',
  'console/src/**/*.test.ts',
]

/** Tests that make namespaces and pods on a real cluster. */
const onCluster = ['test/cluster/**/*.test.ts', 'services/*/src/**/*.cluster.test.ts']
/** Those among them that change what the whole cluster knows: kinds of objects, or the platform's image. */
const clusterWide = [
  'test/cluster/install*.test.ts',
  'test/cluster/mesh.test.ts',
  'services/env-manager/src/adapters/kubernetes-routes/*.cluster.test.ts',
]
/** Vitest leaves a core to itself, so that on two of them one file would run at a time, although many a test waits for a server. */
const unitWorkers = Math.max(2, availableParallelism() - 1)
const clusterTimeouts = { testTimeout: 180_000, hookTimeout: 180_000 }

export default defineConfig({
  // Packages are resolved to their sources, so that a test never runs against a stale build. Not 'import' and 'default': vitest hands
  // these on as node's --conditions, and a require() would then load ES builds (protobufjs loses its 64-bit integers by that).
  ssr: { resolve: { conditions: ['tributary-source', 'node'] } },
  test: {
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 30_000,
    coverage: {
      provider: 'v8',
      reportOnFailure: true,
      reporter: ['text-summary', 'json-summary'],
      include: ['packages/*/src/**/*.ts', 'services/*/src/**/*.ts', 'sdk/src/**/*.ts', 'cli/src/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.test-support.ts', '**/index.ts', '**/main.ts'],
      thresholds: {
        'services/config-center/src/domain/**': { lines: 95, functions: 95, statements: 95 },
        'services/env-manager/src/domain/**': { lines: 95, functions: 95, statements: 95 },
      },
    },
    projects: [
      { extends: true, test: { name: 'unit', include: sources, exclude: onCluster, maxWorkers: unitWorkers } },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: onCluster,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          // Each file has servers, folders and browsers of its own, and waits for them half of its time.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: onCluster,
          exclude: clusterWide,
          ...clusterTimeouts,
          // Each file has an instance and namespaces of its own. Most of their time goes by waiting for pods, but one small node runs them all.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'cluster-wide',
          include: clusterWide,
          ...clusterTimeouts,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
