import { describe, expect, it } from 'vitest'
import { networkOf } from '../shared/http/client-address.ts'
import { deviceOf, placeOf } from './device.ts'

const webKit = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const iPhone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)'
const windows = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/131.0.0.0 Safari/537.36`

describe('a device', () => {
  it.each([
    ['Firefox on Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0'],
    ['Chrome on Windows', windows],
    ['Edge on Windows', `${windows} Edg/131.0.0.0`],
    ['Opera on Windows', `${windows} OPR/115.0.0.0`],
    [
      'Safari on macOS',
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/17 Safari/605',
    ],
    ['Safari on iPhone', `${iPhone} Version/17.5 Mobile/15E148 Safari/604.1`],
    ['Chrome on iPhone', `${iPhone} CriOS/131.0 Mobile/15E148 Safari/604.1`],
    ['Firefox on iPhone', `${iPhone} FxiOS/132.0 Mobile/15E148 Safari/605.1.15`],
    [
      'Chrome on Android',
      `Mozilla/5.0 (Linux; Android 14; Pixel 8) ${webKit} Chrome/131.0 Mobile Safari/537.36`,
    ],
    [
      'Samsung Internet on Android',
      `Mozilla/5.0 (Linux; Android 14; SM-S921B) ${webKit} SamsungBrowser/26.0 Chrome/122.0 Mobile Safari/537.36`,
    ],
    ['Chrome on ChromeOS', `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webKit} Chrome/131.0 Safari/537.36`],
    ['curl', 'curl/8.5.0'],
    ['Android', 'OurShop/1.2 (Android 14)'],
    ['Unknown device', 'node'],
    ['Unknown device', ''],
  ])('is %s', (device, userAgent) => expect(deviceOf(userAgent)).toBe(device))

  it('is unknown without a User-Agent, and contains nothing that the client wrote', () => {
    expect(deviceOf(undefined)).toBe('Unknown device')
    expect(deviceOf('Ada Lovelace’s <b>phone</b>')).toBe('Unknown device')
  })
})

describe('a place', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:db8::1', '2001:db8:0::/48'],
    ['unknown', undefined],
  ])('of %s is %s', (address, place) => expect(placeOf(networkOf(address))).toBe(place))
})
