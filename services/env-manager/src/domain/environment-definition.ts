import { EnvironmentDefinition } from '@tributary/contract'
import type { Problem } from './problem.js'
import { schemaProblems } from './schema-problems.js'
import { parseYamlFile } from './yaml-file.js'

/** The file in a repository's root by which a branch speaks about its environment. */
export const ENVIRONMENT_FILE_NAME = 'tributary.yaml'

/** What a repository's `tributary.yaml` says; `absent` when there is none. */
export type EnvironmentFile =
  | { readonly state: 'absent' }
  | { readonly state: 'valid'; readonly definition: EnvironmentDefinition }
  | { readonly state: 'invalid'; readonly problems: readonly Problem[] }

/** Parses `tributary.yaml`: exactly one document of `kind: Environment`. Undefined text: there is no file. */
export function parseEnvironmentFile(text: string | undefined, file: string = ENVIRONMENT_FILE_NAME): EnvironmentFile {
  if (text === undefined) return { state: 'absent' }
  const { documents, problems } = parseYamlFile(file, text)
  const [document, second] = documents
  if (problems.length > 0) return { state: 'invalid', problems }
  if (document === undefined) return { state: 'absent' }
  if (second !== undefined) {
    return { state: 'invalid', problems: [second.problemAt([], 'only one document is allowed here; join them')] }
  }
  const wrong = schemaProblems(document, EnvironmentDefinition)
  if (wrong.length > 0) return { state: 'invalid', problems: wrong }
  return { state: 'valid', definition: document.value as EnvironmentDefinition }
}
