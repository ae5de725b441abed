import { describe, expect, it } from 'vitest'
import type { Role } from '../shared/domain.ts'
import { Email } from '../shared/schemas/email.ts'
import {
  demotes,
  endsSessions,
  mayChange,
  maySee,
  needsCurrentPassword,
  NewUser,
  CurrentPassword,
  Password,
  refuseRole,
  toUser,
  UserChange,
  type UserRow,
} from './user.ts'

const as = (role: Role, id = 'me') => ({ id, role, session: 'session' })

const row = (values: Partial<UserRow> = {}): UserRow => ({
  id: 'me',
  email: 'ada@example.com',
  name: 'Ada',
  passwordHash: '$argon2id$secret',
  emailVerifiedAt: null,
  totpSecret: null,
  totpPeriod: null,
  secondFactorAt: null,
  role: 'customer',
  version: 1,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  deletedAt: null,
  ...values,
})

describe('permissions', () => {
  it.each([
    ['customer', false, false],
    ['seller', false, false],
    ['staff', true, false],
    ['admin', true, true],
  ] as const)('a %s sees others: %s, changes others: %s', (role, see, change) => {
    expect(maySee(as(role), 'someone')).toBe(see)
    expect(mayChange(as(role), 'someone')).toBe(change)
    expect(maySee(as(role), 'me')).toBe(true)
    expect(mayChange(as(role), 'me')).toBe(true)
  })

  it('lets only an admin set a role', () => {
    expect(() => refuseRole(as('staff'), { role: 'admin' })).toThrow('Only an admin')
    expect(() => refuseRole(as('admin'), { role: 'admin' })).not.toThrow()
    expect(() => refuseRole(as('customer'), { name: 'Grace' })).not.toThrow()
  })

  it.each([
    [true, 'another e-mail address', { email: 'grace@example.com' }, 'customer'],
    [true, 'a new password', { password: 'another long one' }, 'customer'],
    [true, 'making an admin', { role: 'admin' }, 'staff'],
    [true, 'unmaking an admin', { role: 'staff' }, 'admin'],
    [true, 'any other role', { role: 'seller' }, 'customer'],
    [false, 'the present e-mail address', { email: 'ada@example.com' }, 'customer'],
    [false, 'another name', { name: 'Grace' }, 'admin'],
    [false, 'the present role', { role: 'admin' }, 'admin'],
  ] as const)('requires the current password: %s for %s', (needed, _, change, role) =>
    expect(needsCurrentPassword(change, row({ role }))).toBe(needed),
  )
})

describe('a change', () => {
  it('ends the sessions if it sets a password or another role', () => {
    expect(endsSessions({ password: 'another long one' }, row())).toBe(true)
    expect(endsSessions({ role: 'seller' }, row())).toBe(true)
    expect(endsSessions({ role: 'customer' }, row())).toBe(false)
    expect(endsSessions({ name: 'Grace', email: 'grace@example.com' }, row())).toBe(false)
  })

  it('demotes only if an admin gets another role', () => {
    expect(demotes({ role: 'staff' }, row({ role: 'admin' }))).toBe(true)
    expect(demotes({ role: 'admin' }, row({ role: 'admin' }))).toBe(false)
    expect(demotes({ name: 'Grace' }, row({ role: 'admin' }))).toBe(false)
    expect(demotes({ role: 'staff' }, row({ role: 'customer' }))).toBe(false)
  })

  it('must not be empty', () => {
    expect(UserChange.safeParse({}).success).toBe(false)
    expect(UserChange.safeParse({ currentPassword: 'old' }).success).toBe(false)
    expect(UserChange.safeParse({ name: 'Grace' }).success).toBe(true)
  })
})

describe('validation', () => {
  it('accepts valid e-mail addresses and converts them to lower case', () => {
    expect(Email.parse('Ada.Lovelace@Example.COM')).toBe('ada.lovelace@example.com')
    for (const bad of [
      '',
      'ada',
      'ada@',
      '@example.com',
      'a b@example.com',
      `${'a'.repeat(250)}@example.com`,
    ])
      expect(Email.safeParse(bad).success).toBe(false)
  })

  it('accepts passwords of 10 to 200 characters and normalises them', () => {
    expect(Password.safeParse('a'.repeat(9)).success).toBe(false)
    expect(Password.safeParse('a'.repeat(10)).success).toBe(true)
    expect(Password.safeParse('a'.repeat(200)).success).toBe(true)
    expect(Password.safeParse('a'.repeat(201)).success).toBe(false)
    expect(Password.parse('cafe\u0301-cafe\u0301-')).toBe(
      Password.parse('caf\u00e9-caf\u00e9--'.slice(0, 10)),
    )
    // the length is that of the normalised text
    expect(Password.safeParse('a\u0301'.repeat(5)).success).toBe(false)
    expect(Password.safeParse('a\u0301'.repeat(200)).success).toBe(true)
    expect(CurrentPassword.safeParse('a\u0301'.repeat(200)).success).toBe(true)
  })

  it('rejects a role and unknown fields at registration', () => {
    const body = { email: 'ada@example.com', name: 'Ada', password: 'correct horse' }
    expect(NewUser.safeParse(body).success).toBe(true)
    expect(NewUser.safeParse({ ...body, role: 'admin' }).success).toBe(false)
  })
})

it('converts a user without the password hash or other internal fields', () => {
  expect(Object.keys(toUser(row()))).toEqual([
    'id',
    'email',
    'emailVerified',
    'secondFactor',
    'name',
    'role',
    'createdAt',
    'updatedAt',
  ])
})
