/** How the sandbox treats a test card; see docs/payment-sandbox.md. */
export interface Card {
  /** Why the card is declined; approved if not set. */
  declined?: string
  /** The issuer takes a while to authorise. */
  slow?: true
  /** The first request with each key is executed, but never answered. */
  silent?: true
  refusesCapture?: true
  /** The first part is captured, and no other. */
  refusesSecondCapture?: true
  /** The first attempt of each operation on a payment is rejected, and changes nothing. */
  flaky?: true
}

const cards: Record<string, Card> = {
  card_approved: {},
  card_declined: { declined: 'the issuer declined the card' },
  card_insufficient_funds: { declined: 'insufficient funds' },
  card_slow: { slow: true },
  card_timeout: { silent: true },
  card_capture_fails: { refusesCapture: true },
  card_second_capture_fails: { refusesSecondCapture: true },
  card_flaky: { flaky: true },
}

/** Returns the card of a token: the name of a card, which a dash and anything else may follow. */
export function cardOf(token: string): Card {
  const [name = ''] = token.split('-')
  return Object.hasOwn(cards, name) ? cards[name]! : { declined: 'unknown card' }
}
