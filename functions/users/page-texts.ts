import { parseAccept } from 'hono/utils/accept'

/** What the pages behind the links in mails say. */

export const languages = ['en', 'es'] as const
export type Language = (typeof languages)[number]

/** Returns the language that the browser prefers, of those that there are. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const wanted = parseAccept(acceptLanguage ?? '').toSorted((a, b) => b.q - a.q)
  const known = wanted.flatMap(({ type }) =>
    languages.filter((one) => type.toLowerCase().split('-')[0] === one),
  )
  return known[0] ?? 'en'
}

interface PageTexts {
  /** Of a link without its token. */
  incomplete: string
  wrongToken: string
  overloaded: string
  verification: Readonly<Record<'title' | 'question' | 'button' | 'done', string>>
  reset: Readonly<
    Record<'title' | 'rule' | 'password' | 'again' | 'button' | 'done' | 'differ' | 'length', string>
  >
  /** Why a password is refused (password-rules.ts). */
  weak: Readonly<Record<'repeats' | 'own' | 'common', string>>
}

export const pageTexts: Readonly<Record<Language, PageTexts>> = {
  en: {
    incomplete: 'This link is not complete. Open it from the mail, or copy all of it.',
    wrongToken:
      'This link does not work any more: it was used already, is too old, or belongs to an earlier address. Ask for another mail.',
    overloaded: 'The shop is very busy. Try again in a moment.',
    verification: {
      title: 'Confirm your e-mail address',
      question: 'Is this your e-mail address? Then confirm it.',
      button: 'Confirm the address',
      done: 'Thank you: your e-mail address is confirmed. You can close this page.',
    },
    reset: {
      title: 'Set a new password',
      rule: 'Take at least 10 characters. A few words that nobody would guess make a good password.',
      password: 'New password',
      again: 'The same once more',
      button: 'Set the password',
      done: 'Your new password is set, and you are logged out everywhere. Log in with it.',
      differ: 'The two passwords differ. Write the same twice.',
      length: 'A password has 10 to 200 characters.',
    },
    weak: {
      repeats: 'This password repeats a few characters, or only counts up or down. Choose another.',
      own: 'This password is made of your name, your e-mail address or the name of the shop. Choose another.',
      common: 'Many people use this password, with or without digits around it. Choose another.',
    },
  },
  es: {
    incomplete: 'Este enlace no está completo. Ábrelo desde el correo, o cópialo entero.',
    wrongToken:
      'Este enlace ya no sirve: se ha usado, es demasiado antiguo o es de una dirección anterior. Pide otro correo.',
    overloaded: 'La tienda está muy ocupada. Vuelve a intentarlo en un momento.',
    verification: {
      title: 'Confirma tu dirección de correo',
      question: '¿Es esta tu dirección de correo? Entonces, confírmala.',
      button: 'Confirmar la dirección',
      done: 'Gracias: tu dirección de correo está confirmada. Puedes cerrar esta página.',
    },
    reset: {
      title: 'Elige una contraseña nueva',
      rule: 'Usa al menos 10 caracteres. Unas palabras que nadie adivinaría son una buena contraseña.',
      password: 'Contraseña nueva',
      again: 'La misma otra vez',
      button: 'Guardar la contraseña',
      done: 'Tu contraseña nueva está guardada y se han cerrado todas tus sesiones. Entra con ella.',
      differ: 'Las dos contraseñas no son iguales. Escribe la misma dos veces.',
      length: 'Una contraseña tiene de 10 a 200 caracteres.',
    },
    weak: {
      repeats:
        'Esta contraseña repite unos pocos caracteres, o solo cuenta hacia arriba o abajo. Elige otra.',
      own: 'Esta contraseña se compone de tu nombre, tu dirección de correo o el nombre de la tienda. Elige otra.',
      common: 'Mucha gente usa esta contraseña, con o sin cifras alrededor. Elige otra.',
    },
  },
}
