import { randomUUID } from 'node:crypto'

/** Returns a unique text without digits, so that it is never taken for the number of a card. */
export const uniqueLetters = () =>
  randomUUID().replaceAll(/\d/g, (digit) => 'ghijklmnop'.charAt(Number(digit)))
