import { del, domain, get, patch, post } from '../shared/domain.ts'
import { events } from './events.ts'
import type { open } from './open.ts'

export default domain<typeof open>()({
  name: 'users',
  summary: 'Accounts, and the sessions in which people are logged in',
  store: 'postgres',
  tables: ['user.ts', 'session.ts', 'mailed-token.ts', 'second-factor.ts'],
  settings: {
    JWT_PRIVATE_KEY: {
      description: 'the Ed25519 key that signs access tokens, as a JWK',
      secret: 'private key',
    },
    SECOND_FACTOR_KEY: {
      description: 'the key that encrypts the secrets of authenticator apps, at least 32 characters',
      secret: 'random',
    },
  },
  events,
  operations: {
    'register-user': post('/api/v1/users', 'Register a customer', {
      by: 'anyone',
      core: true,
      idempotent: true,
      emits: ['user.contact-changed', 'user.verification-requested'],
      leavesSecretsFor: ['notifications'],
      concurrency: 2,
      // a password hash each
      limits: { user: 30, network: 30 },
    }),
    'get-user': get('/api/v1/users/{id}', 'Read a user', { by: 'user', fresh: true }),
    'list-users': get('/api/v1/users', 'List users', {
      by: ['admin'],
      fresh: true,
      limits: { user: 600 },
    }),
    'update-user': patch('/api/v1/users/{id}', 'Change a user', {
      by: 'user',
      fresh: true,
      emits: ['user.email-changed', 'user.contact-changed', 'user.verification-requested', 'session.ended'],
      leavesSecretsFor: ['notifications'],
      concurrency: 2,
      // up to two password hashes each
      limits: { user: 30 },
    }),
    'delete-user': del('/api/v1/users/{id}', 'Delete a user and end their sessions', {
      by: 'user',
      fresh: true,
      emits: ['user.deleted', 'session.ended'],
      concurrency: 2,
      maxScale: 2,
      limits: { user: 30 },
    }),

    'request-email-verification': post(
      '/api/v1/users/{id}/email-verification',
      'Mail the link again that confirms the e-mail address',
      {
        by: 'user',
        fresh: true,
        emits: ['user.verification-requested'],
        leavesSecretsFor: ['notifications'],
        maxScale: 2,
        limits: { user: 30 },
      },
    ),
    'verify-email': post('/api/v1/email-verifications', 'Confirm an e-mail address', {
      by: 'anyone',
      maxScale: 2,
      limits: { user: 60, network: 60 },
    }),
    'request-password-reset': post('/api/v1/password-resets', 'Mail a link that sets a new password', {
      by: 'anyone',
      emits: ['user.password-reset-requested'],
      leavesSecretsFor: ['notifications'],
      maxScale: 2,
      limits: { user: 30, network: 30 },
    }),
    'reset-password': post('/api/v1/password-resets/confirmations', 'Set a new password', {
      by: 'anyone',
      emits: ['session.ended'],
      concurrency: 2,
      maxScale: 2,
      // a password hash each
      limits: { user: 30, network: 30 },
    }),

    // the pages behind the links in mails
    'show-email-verification': get('/verify-email', 'Show how to confirm an e-mail address', {
      by: 'anyone',
      maxScale: 1,
    }),
    'submit-email-verification': post('/verify-email', 'Confirm an e-mail address on its page', {
      by: 'anyone',
      maxScale: 1,
      limits: { user: 60, network: 60 },
    }),
    'show-password-reset': get('/reset-password', 'Show how to set a new password', {
      by: 'anyone',
      maxScale: 1,
    }),
    'submit-password-reset': post('/reset-password', 'Set a new password on its page', {
      by: 'anyone',
      emits: ['session.ended'],
      concurrency: 2,
      maxScale: 2,
      // a password hash each
      limits: { user: 30, network: 30 },
    }),

    'enrol-second-factor': post('/api/v1/users/{id}/second-factor', 'Enrol an authenticator app', {
      by: 'user',
      fresh: true,
      concurrency: 2,
      maxScale: 2,
      limits: { user: 30 },
    }),
    'disable-second-factor': del('/api/v1/users/{id}/second-factor', 'Turn the second factor off', {
      by: 'user',
      fresh: true,
      concurrency: 2,
      maxScale: 2,
      limits: { user: 30 },
    }),
    'confirm-second-factor': post(
      '/api/v1/users/{id}/second-factor/confirmation',
      'Turn the second factor on, with a code of the app',
      { by: 'user', fresh: true, maxScale: 2, limits: { user: 30 } },
    ),
    'renew-recovery-codes': post(
      '/api/v1/users/{id}/second-factor/recovery-codes',
      'Get new recovery codes',
      { by: 'user', fresh: true, concurrency: 2, maxScale: 2, limits: { user: 30 } },
    ),

    'log-in': post('/api/v1/sessions', 'Log in', {
      by: 'anyone',
      core: true,
      scaling: 'cpu',
      concurrency: 8,
    }),
    'refresh-session': post('/api/v1/sessions/refresh', 'Trade a refresh token for new tokens', {
      by: 'anyone',
      emits: ['session.ended'],
    }),
    'list-sessions': get('/api/v1/sessions', 'List your own sessions', {
      by: 'user',
      fresh: true,
      maxScale: 2,
    }),
    'log-out': del('/api/v1/sessions/current', 'End the session', {
      by: 'user',
      emits: ['session.ended'],
    }),
    'end-other-sessions': del('/api/v1/sessions/others', 'End all of your sessions but this one', {
      by: 'user',
      fresh: true,
      emits: ['session.ended'],
      maxScale: 2,
      limits: { user: 60 },
    }),
    // after the paths that it would match, too
    'end-session': del('/api/v1/sessions/{id}', 'End one of your sessions', {
      by: 'user',
      fresh: true,
      emits: ['session.ended'],
      maxScale: 2,
      limits: { user: 60 },
    }),
    'get-jwks': get('/.well-known/jwks.json', 'The public keys that verify access tokens', { by: 'anyone' }),
  },
  reactions: {},
})
