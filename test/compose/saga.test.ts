import { beforeAll } from 'vitest'
import type { TestClient } from '../client.ts'
import { describeSaga } from '../saga.ts'
import { shop } from './shop.ts'

let client: TestClient
beforeAll(async () => {
  client = await shop.client()
})

describeSaga(() => client)
