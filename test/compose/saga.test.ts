import { beforeAll } from 'vitest'
import type { ShopClient } from '../client.ts'
import { describeSaga } from '../saga.ts'
import { shop } from './shop.ts'

let client: ShopClient
beforeAll(async () => {
  client = await shop.client()
})

describeSaga(() => client)
