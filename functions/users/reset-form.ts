import { html } from 'hono/html'
import type { pageTexts } from './page-texts.ts'
import { alert } from './link-page.ts'

/**
 * Makes the form with which a new password is set.
 * @param wrong what was wrong with the last attempt
 */
export function resetForm({ reset }: (typeof pageTexts)['en'], token: string, wrong?: string) {
  const field = (name: string, label: string) =>
    html`<p>
      <label
        >${label}<br /><input
          type="password"
          name="${name}"
          autocomplete="new-password"
          minlength="10"
          maxlength="200"
          required
      /></label>
    </p>`
  return html`${wrong === undefined ? '' : alert(wrong)}
    <p>${reset.rule}</p>
    <form method="post" action="/reset-password">
      <input type="hidden" name="token" value="${token}" />
      ${field('password', reset.password)} ${field('again', reset.again)}
      <button>${reset.button}</button>
    </form>`
}
