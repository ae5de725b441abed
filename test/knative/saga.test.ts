import { beforeAll } from 'vitest'
import type { TestClient } from '../client.ts'
import { describeSaga } from '../saga.ts'
import { openShop } from './shop.ts'

let client: TestClient
beforeAll(async () => {
  client = await openShop()
})

describeSaga(() => client)
