import { describe, expect, it } from 'vitest'
import { createRouter } from './router.ts'

const router = createRouter([
  { name: 'create-order', method: 'post', path: '/api/v1/orders' },
  { name: 'list-orders', method: 'get', path: '/api/v1/orders' },
  { name: 'get-order', method: 'get', path: '/api/v1/orders/{id}' },
  { name: 'cancel-order', method: 'post', path: '/api/v1/orders/{id}/cancellation' },
  { name: 'update-user', method: 'patch', path: '/users/{id}' },
  { name: 'get-user', method: 'get', path: '/users/{id}' },
  { name: 'get-me', method: 'get', path: '/users/me' },
  { name: 'get-avatar', method: 'get', path: '/users/{id}/avatar' },
  { name: 'get-setting', method: 'get', path: '/users/me/{setting}' },
])

describe('the router', () => {
  it.each([
    ['POST', '/api/v1/orders', 'create-order'],
    ['GET', '/api/v1/orders', 'list-orders'],
    ['GET', '/api/v1/orders/0198', 'get-order'],
    ['POST', '/api/v1/orders/0198/cancellation', 'cancel-order'],
    ['HEAD', '/api/v1/orders/0198', 'get-order'],
  ])('sends %s %s to %s', (method, path, name) => {
    expect(router.match(method, path)).toEqual({ name })
  })

  it('prefers a literal segment to a parameter', () => {
    expect(router.match('GET', '/users/me')).toEqual({ name: 'get-me' })
    expect(router.match('GET', '/users/0198')).toEqual({ name: 'get-user' })
    expect(router.match('GET', '/users/me/avatar')).toEqual({ name: 'get-setting' })
    expect(router.match('GET', '/users/0198/avatar')).toEqual({ name: 'get-avatar' })
  })

  it('does not use the parameter if the literal lacks the method', () => {
    expect(router.match('PATCH', '/users/me')).toEqual({ allow: ['GET', 'HEAD'] })
  })

  it('lists the methods that a path allows', () => {
    expect(router.match('DELETE', '/api/v1/orders')).toEqual({ allow: ['GET', 'HEAD', 'POST'] })
    expect(router.match('PUT', '/users/me')).toEqual({ allow: ['GET', 'HEAD'] })
  })

  it.each([
    '/',
    '',
    '*',
    '/api/v1/orders/',
    '/api/v1/orders//cancellation',
    '/api/v1',
    '/orders',
    '/api/v1/orders/1/2',
  ])('finds nothing at "%s"', (path) => {
    expect(router.match('GET', path)).toEqual({ allow: [] })
  })

  it('refuses two functions for one method and path', () => {
    expect(() =>
      createRouter([
        { name: 'a', method: 'get', path: '/users/{id}' },
        { name: 'b', method: 'get', path: '/users/{user}' },
      ]),
    ).toThrow('b is the second')
  })
})
