import type { JSONWebKeySet } from 'jose'
import type { Config } from '../process/config.ts'
import { UserError } from '../process/user-error.ts'
import { authenticator, type Authenticate } from './access-token.ts'

/**
 * Returns a function that verifies access tokens with the configured public keys.
 * @throws UserError if the keys are missing or cannot be used
 */
export function openAuthenticator(config: Config): Authenticate {
  const keys = publicKeys(config)
  try {
    return authenticator(keys)
  } catch {
    throw config.unusable('JWT_PUBLIC_KEYS')
  }
}

export const publicKeys = (config: Config) => readJson(config, 'JWT_PUBLIC_KEYS') as JSONWebKeySet

/**
 * Reads a setting that contains JSON.
 * @throws UserError if it is missing or is not JSON
 */
export function readJson(config: Config, name: string): unknown {
  try {
    return JSON.parse(config.need(name))
  } catch (error) {
    if (error instanceof UserError) throw error
    throw config.unusable(name)
  }
}
