import { codeOf, textOf } from './field.ts'

/** An URL fit for the terminal: without user, password and parameters. */
export const withoutSecrets = (url: string): string =>
  url.replace(/^([a-z][\w+.-]*:\/\/)?(?:.*@)?/is, '$1').replace(/[?#].*$/s, '')

/** What an error says, with any user and password of the URL blotted out. */
export const reasonOf = (error: unknown, url: string): string => {
  const login = /^(?:[a-z][\w+.-]*:\/\/)?(.*)@/is.exec(url)?.[1] ?? ''
  const password = login.slice(login.indexOf(':') + 1)
  let text = (textOf(error, 'message') || codeOf(error) || String(error)).split('\n')[0] ?? ''
  for (const secret of [url, login, password]) if (secret !== '') text = text.replaceAll(secret, '…')
  return text
}
