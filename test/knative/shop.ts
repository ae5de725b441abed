import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { secretsFolder } from '../../compose/secrets.ts'
import { gatewayUrl } from '../../knative/cluster.ts'
import { shopClient } from '../client.ts'

export const namespace = 'zeroshop'

/** What clients ask of the shop in the cluster, by way of its gateway. */
export async function openShop() {
  const url = process.env['SHOP_URL'] ?? (await gatewayUrl(namespace))
  if (url === undefined)
    throw new Error('The gateway cannot be reached from here: set SHOP_URL to where it can.')
  return shopClient(url, readFileSync(join(secretsFolder, 'demo-password'), 'utf8').trim())
}
