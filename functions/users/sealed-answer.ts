import { sealText, unsealText } from './sealed.ts'

/*
 * The answer to a refresh is kept for a short while, so that a client that has lost it can ask again. It contains
 * tokens, so it is encrypted with a key that is derived from the refresh token of the request. We store only that
 * token's hash: without the token itself, nobody can read the answer.
 */

const purpose = 'zeroshop refresh answer'

/** Returns the answer, encrypted for whoever holds the refresh token. */
export const seal = (answer: object, refreshToken: string): string =>
  sealText(JSON.stringify(answer), refreshToken, purpose)

/**
 * Returns the answer. Serialised again it has the same bytes, because JSON keeps the order of the fields.
 * @throws if it was sealed with another token, or was changed
 */
export const unseal = (sealed: string, refreshToken: string): unknown =>
  JSON.parse(unsealText(sealed, refreshToken, purpose))
