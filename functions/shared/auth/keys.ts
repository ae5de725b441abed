import type { JSONWebKeySet } from 'jose'
import type { Config } from '../process/config.ts'
import { UserError } from '../process/user-error.ts'
import { authenticator, type Authenticate } from './access-token.ts'

/** Verifies access tokens with the configured public keys. */
export function openAuthenticator(config: Config): Authenticate {
  const keys = publicKeys(config)
  try {
    return authenticator(keys)
  } catch {
    throw config.unusable('JWT_PUBLIC_KEYS')
  }
}

export const publicKeys = (config: Config) => readJson(config, 'JWT_PUBLIC_KEYS') as JSONWebKeySet

/** A setting that holds JSON. @throws UserError */
export function readJson(config: Config, name: string): unknown {
  try {
    return JSON.parse(config.need(name))
  } catch (error) {
    if (error instanceof UserError) throw error
    throw config.unusable(name)
  }
}
