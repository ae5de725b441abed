import { execFile } from 'node:child_process'
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Binary {
  path: string
  /** As it says itself: `18.4`, `2.10.22`. */
  version: string
}

/** Every executable of that name on the PATH, in its order, without the same file twice. */
export const onPath = (name: string, env: NodeJS.ProcessEnv): string[] => {
  const found = (env['PATH'] ?? '').split(delimiter).flatMap((folder) => {
    const path = join(folder || '.', name)
    try {
      accessSync(path, constants.X_OK)
      return statSync(path).isFile() ? [realpathSync(path)] : []
    } catch {
      return []
    }
  })
  return [...new Set(found)]
}

/** What `<path> --version` calls itself; undefined when it does not run or says no version. */
export const versionOf = async (path: string): Promise<string | undefined> => {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 10_000 })
    return /\bv?(\d+(?:\.\d+)+|\d+)/.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}

/** Whether a version is at least another, both dotted numbers. */
export const atLeast = (version: string, least: string): boolean => {
  const have = version.split('.').map(Number)
  for (const [place, wanted] of least.split('.').map(Number).entries()) {
    const is = have[place] ?? 0
    if (is !== wanted) return is > wanted
  }
  return true
}

/**
 * The first binary on the PATH that is new enough and that `refuse`, where given, has nothing against.
 * `why` tells what is wrong with what there is instead, to be shown to the user.
 */
export const goodBinary = async (
  name: string,
  least: string,
  env: NodeJS.ProcessEnv,
  refuse?: (binary: Binary) => string | undefined,
): Promise<{ binary: Binary } | { why: string }> => {
  let why: string | undefined
  for (const path of onPath(name, env)) {
    const version = await versionOf(path)
    const binary = version === undefined ? undefined : { path, version }
    const against = !binary
      ? `${name} on the PATH does not run`
      : atLeast(binary.version, least)
        ? refuse?.(binary)
        : `${name} on the PATH is ${binary.version}, older than ${least}`
    if (binary && against === undefined) return { binary }
    why ??= against
  }
  return { why: why ?? `no ${name} on the PATH` }
}
