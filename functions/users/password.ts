import { hash, parseOptions, verify } from '@node-rs/argon2'

/** OWASP's first choice for argon2id (the library's default variant), some 26 ms of CPU; memory in KiB. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Of a random password that nobody knows; at the cost above, which a test checks. */
export const dummyHash =
  '$argon2id$v=19$m=19456,t=2,p=1$N+aDiK12y0JXHILSy2dppA$OBrVmJjSp0HMpdXe9OAuajY/1YWJ+H5UlxtbVb0CpTM'

/** @param salt 16 bytes; random ones where it is not given */
export const hashPassword = (password: string, salt?: Uint8Array): Promise<string> =>
  hash(password, salt === undefined ? cost : { ...cost, salt })

/** Takes as long, and says no, where there is no hash to verify against. */
export async function verifyPassword(
  passwordHash: string | null | undefined,
  password: string,
): Promise<boolean> {
  const matches = await verify(passwordHash ?? dummyHash, password)
  return matches && passwordHash != null
}

/** Whether the hash was made at another cost than today's. */
export function needsRehash(passwordHash: string): boolean {
  const { memoryCost, timeCost, parallelism } = parseOptions(passwordHash)
  return memoryCost !== cost.memoryCost || timeCost !== cost.timeCost || parallelism !== cost.parallelism
}
