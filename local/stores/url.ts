import { codeOf, textOf } from './field.ts'

/** Returns a URL without user, password and parameters, so that it can be printed. */
export const withoutSecrets = (url: string): string =>
  url.replace(/^([a-z][\w+.-]*:\/\/)?(?:.*@)?/is, '$1').replace(/[?#].*$/s, '')

/** Returns the message of an error, without the user and password of the URL. */
export const reasonOf = (error: unknown, url: string): string => {
  const login = /^(?:[a-z][\w+.-]*:\/\/)?(.*)@/is.exec(url)?.[1] ?? ''
  const password = login.slice(login.indexOf(':') + 1)
  let text = (textOf(error, 'message') || codeOf(error) || String(error)).split('\n')[0] ?? ''
  for (const secret of [url, login, password]) if (secret !== '') text = text.replaceAll(secret, '…')
  return text
}
