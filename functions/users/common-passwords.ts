import { dictionary } from '@zxcvbn-ts/language-common'

/** Some 50,000 passwords that many people use, in lower case. Half a megabyte, so import it only when it is needed. */
export const commonPasswords: readonly string[] = dictionary['passwords-common']
