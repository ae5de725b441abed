import { operation } from '../shared/http/operation.ts'
import { JwkSet } from './session.ts'

export const getJwks = operation(
  'get-jwks',
  { request: {}, responses: { 200: JwkSet } },
  // clients cache the keys for 5 min, so a new key must be published that long before it signs
  async ({ json }, { tokens }) =>
    json(JwkSet.parse(tokens.jwks), 200, { 'Cache-Control': 'public, max-age=300' }),
)
