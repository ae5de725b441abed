import { hash, parseOptions, verify } from '@node-rs/argon2'
import pLimit from 'p-limit'

/** OWASP's first choice for argon2id, the library's default variant. About 26 ms of CPU; memory in KiB. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** The hash of a random, unknown password, at the cost above. A test checks the cost. */
export const dummyHash =
  '$argon2id$v=19$m=19456,t=2,p=1$N+aDiK12y0JXHILSy2dppA$OBrVmJjSp0HMpdXe9OAuajY/1YWJ+H5UlxtbVb0CpTM'

/**
 * Two hashes at once keep a core busy. Each holds one of libuv's four threads, and the process needs the other two
 * to look up hosts and read files meanwhile.
 */
const twoAtOnce = pLimit(2)

/**
 * Hashes a password with argon2id.
 * @param salt 16 bytes; random if not given
 */
export const hashPassword = (password: string, salt?: Uint8Array): Promise<string> =>
  twoAtOnce(() => hash(password, salt === undefined ? cost : { ...cost, salt }))

/** Verifies a password. If there is no hash, it takes just as long and returns false. */
export async function verifyPassword(
  passwordHash: string | null | undefined,
  password: string,
): Promise<boolean> {
  const matches = await twoAtOnce(() => verify(passwordHash ?? dummyHash, password))
  return matches && passwordHash != null
}

/** Returns whether the hash was made at a cost other than the current one. */
export function needsRehash(passwordHash: string): boolean {
  const { memoryCost, timeCost, parallelism } = parseOptions(passwordHash)
  return memoryCost !== cost.memoryCost || timeCost !== cost.timeCost || parallelism !== cost.parallelism
}
