import { expect, it } from 'vitest'
import { parseImageReference } from './image-reference.js'

it.each([
  ['node', 'node', '', ''],
  ['node:20', 'node', '20', ''],
  ['registry:5000/team/orders', 'registry:5000/team/orders', '', ''],
  ['registry:5000/team/orders:v1.0-3-abc', 'registry:5000/team/orders', 'v1.0-3-abc', ''],
  ['registry.example/orders@sha256:ab', 'registry.example/orders', '', 'sha256:ab'],
  ['registry:5000/orders:v1@sha256:ab', 'registry:5000/orders', 'v1', 'sha256:ab'],
])('takes %s apart', (text, repository, tag, digest) => {
  expect(parseImageReference(text)).toEqual({ repository, tag, digest })
})
