import { execFile } from 'node:child_process'
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Binary {
  path: string
  /** As the program reports it, for example `18.4` or `2.10.22`. */
  version: string
}

/** Returns the executables with this name on the PATH, in the order of the PATH, without duplicates. */
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

/** Returns the version that a program prints with `--version`; undefined if it does not run or prints none. */
export const versionOf = async (path: string): Promise<string | undefined> => {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 10_000 })
    return /\bv?(\d+(?:\.\d+)+|\d+)/.exec(stdout)?.[1]
  } catch {
    return undefined
  }
}

/** Returns whether a version is at least as high as another. Both are numbers with dots. */
export const atLeast = (version: string, least: string): boolean => {
  const have = version.split('.').map(Number)
  for (const [place, wanted] of least.split('.').map(Number).entries()) {
    const is = have[place] ?? 0
    if (is !== wanted) return is > wanted
  }
  return true
}

/**
 * Returns the first binary on the PATH that is new enough and that `refuse` returns no objection to. If there is none,
 * returns the reason, for a message to the user.
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
