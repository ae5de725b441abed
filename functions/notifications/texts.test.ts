import { describe, expect, it } from 'vitest'
import { render } from './render.ts'
import { refusals } from '../returns/reasons.ts'
import { cancellationFacts, cancellations, kinds, languages, type Facts } from './texts.ts'

const orderId = '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e'
const facts: Facts & { orderId: string } = {
  orderId,
  detail: 'the issuer declined the card',
  amount: { amount: 123_450, currency: 'EUR' },
  pieces: '2 × MUG-BLUE',
  url: 'https://example.com/webhooks',
  refusal: 'used',
  number: 'INV-2026-000001',
  carrier: 'Bike courier',
}

describe('the texts', () => {
  it.each(languages)('say everything, in sentences, and leave no placeholder: %s', (language) => {
    for (const kind of kinds)
      for (const reason of cancellations) {
        const { title, text } = render(kind, language, { ...facts, reason })
        expect(title).toMatch(/^\S[^{}\n]{5,60}[^.\s]$/)
        expect(text).toMatch(/^\p{Lu}[^{}]+[^.]\.$/su)
        expect(text.includes(orderId)).toBe(/^(?:order|parcel|payment|return|invoice)-/.test(kind))
      }
  })

  it('name another reason in other words', () => {
    for (const language of languages) {
      const texts = cancellations.map(
        (reason) => render('order-cancelled', language, { ...facts, reason }).text,
      )
      expect(new Set(texts).size).toBe(cancellations.length)
    }
  })

  it('say why a return is refused', () => {
    for (const language of languages) {
      const texts = refusals.map((refusal) => render('return-refused', language, { ...facts, refusal }).text)
      expect(new Set(texts).size).toBe(refusals.length)
    }
  })

  it('write money as people do', () => {
    const amounts = (currency: string) =>
      languages.map(
        (language) =>
          render('payment-refunded', language, { ...facts, amount: { amount: 123_450, currency } }).title,
      )
    expect(amounts('EUR')).toEqual(['You get €1,234.50 back', 'Te devolvemos 1234,50\u00a0€'])
    expect(amounts('JPY')[0]).toBe('You get ¥123,450 back')
  })

  it('take the words of the payment provider as they are', () => {
    const detail = `{orderId}, select <b>'`
    expect(render('payment-declined', 'en', { ...facts, detail }).text).toContain(`says: ${detail}.`)
  })
})

it.each([
  ['cancelled on request', { reason: 'onRequest' }],
  ['not enough stock (MUG: 2 wanted, 1 there)', { reason: 'outOfStock' }],
  ['took too long', { reason: 'notConfirmedInTime' }],
  ['not shipped in time', { reason: 'notShippedInTime' }],
  ['the account was deleted', { reason: 'accountDeleted' }],
  ['the card has expired', { reason: 'payment', detail: 'the card has expired' }],
])('knows why an order was cancelled: %s', (text, facts) => {
  expect(cancellationFacts(text)).toEqual(facts)
})
