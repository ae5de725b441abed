/*
 * What a list of sessions says about a device: words from the lists below, and nothing that the client wrote. So the
 * User-Agent itself, by which a browser can be recognised elsewhere, is not kept.
 */

/** Browsers by what their User-Agent contains. Those that claim to be another one as well come first. */
const browsers = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\b(?:OPR|OPiOS)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS|Chromium)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
] as const

/** Systems, likewise. Android says that it is Linux, and an iPhone that it is like Mac OS X. */
const systems = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
] as const

/** The part of a User-Agent that is read. A longer one cannot keep the process busy. */
const mostRead = 500

const unknown = 'Unknown device'

/** Returns a device in plain words, such as `Firefox on Windows`. */
export function deviceOf(userAgent: string | undefined): string {
  const text = (userAgent ?? '').slice(0, mostRead)
  const [browser, system] = [nameIn(browsers, text), nameIn(systems, text)]
  if (browser !== undefined && system !== undefined) return `${browser} on ${system}`
  return browser ?? system ?? unknown
}

const nameIn = (known: readonly (readonly [pattern: RegExp, name: string])[], text: string) =>
  known.find(([pattern]) => pattern.test(text))?.[1]

/**
 * Returns the network that a list of sessions shows: the /24 of an IPv4 address, and the /48 of an IPv6 address. It
 * tells an owner whether a session is theirs, and says no more about a person than it must.
 * @param address as `AddressOf` returns it
 * @returns undefined if the address is not known
 */
export function placeOf(address: string): string | undefined {
  const v4 = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(address)
  if (v4 !== null) return `${v4[1]}.0/24`
  const v6 = /^([\da-f]+:[\da-f]+:[\da-f]+):[\da-f]+::\/64$/.exec(address)
  return v6 === null ? undefined : `${v6[1]}::/48`
}
