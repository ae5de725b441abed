/** What a test card makes the sandbox do; see docs/payment-sandbox.md. */
export interface Card {
  /** Why it is declined; approved where nothing is said. */
  declined?: string
  /** The issuer thinks for a while before it authorises. */
  slow?: true
  /** The first request of each key is done, but never answered. */
  silent?: true
  refusesCapture?: true
  /** The first attempt of each operation on a payment is turned away before anything is done. */
  flaky?: true
}

const cards: Record<string, Card> = {
  card_approved: {},
  card_declined: { declined: 'the issuer declined the card' },
  card_insufficient_funds: { declined: 'insufficient funds' },
  card_slow: { slow: true },
  card_timeout: { silent: true },
  card_capture_fails: { refusesCapture: true },
  card_flaky: { flaky: true },
}

export const cardOf = (token: string): Card =>
  Object.hasOwn(cards, token) ? cards[token]! : { declined: 'unknown card' }
