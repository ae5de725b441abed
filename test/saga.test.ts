import { afterAll, beforeAll } from 'vitest'
import { describeSaga } from './saga.ts'
import { startTestSystem, type TestSystem } from './system.ts'

let shop: TestSystem
beforeAll(async () => {
  shop = await startTestSystem({ RETRY_DELAYS_SECONDS: '0.2,0.5,1,2,5' })
})
afterAll(() => shop.stop())

describeSaga(() => shop)
