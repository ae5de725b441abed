import { beforeAll } from 'vitest'
import type { ShopClient } from '../client.ts'
import { describeSaga } from '../saga.ts'
import { openShop } from './shop.ts'

let client: ShopClient
beforeAll(async () => {
  client = await openShop()
})

describeSaga(() => client)
