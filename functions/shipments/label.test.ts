import { inflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toServer } from '../shared/process/serve-operation.ts'
import { listen, type Handler } from '../../local/front.ts'
import { address, knowProducts, newOrder, place } from '../../test/orders.ts'
import { openShop, type TestShop } from '../../test/shop.ts'
import { dispatch, queue } from './fixtures.ts'
import { labelOf } from './label.ts'

const label = {
  orderId: '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4e',
  parcelId: '01999d3c-7b57-7d0c-8d1c-5a9f1c2b3d4f',
  number: 2,
  carrier: 'Bike courier',
  trackingNumber: 'BC-4711',
  to: { ...address, name: 'Ада Лавлейс', street: 'Οδός Ερμού 1' },
  pieces: 3,
}

/** Returns the text of a PDF file whose font is embedded as a subset: its glyphs' characters, in the file's own table. */
function textOf(bytes: Uint8Array): string {
  const file = Buffer.from(bytes).toString('latin1')
  const streams = [...file.matchAll(/stream\r?\n([\s\S]*?)\r?\nendstream/g)].map(([, body]) => {
    try {
      return inflateSync(Buffer.from(body!, 'latin1')).toString('latin1')
    } catch {
      return ''
    }
  })
  const map = streams.find((one) => one.includes('begincmap')) ?? ''
  const range = /beginbfrange\n([\s\S]*?)endbfrange/.exec(map)?.[1] ?? ''
  const characters = [...range.matchAll(/\[([^\]]*)\]/g)].flatMap(([, list]) =>
    [...list!.matchAll(/<([0-9a-f]+)>/g)].map(([, hex]) =>
      Buffer.from(hex!, 'hex').swap16().toString('utf16le'),
    ),
  )
  return streams
    .flatMap((one) =>
      [...one.matchAll(/\[(.*?)\] TJ/g)].map(([, shown]) =>
        [...shown!.matchAll(/<([0-9a-f]+)>/g)]
          .flatMap(([, hex]) => hex!.match(/.{4}/g) ?? [])
          .map((glyph) => characters[Number.parseInt(glyph, 16)] ?? '?')
          .join(''),
      ),
    )
    .join('\n')
}

describe('a label', () => {
  it('is one page of A6, in a font that has the letters of the address', async () => {
    const bytes = await labelOf(label)
    const file = Buffer.from(bytes).toString('latin1')
    expect(file.slice(0, 5)).toBe('%PDF-')
    expect(file.match(/\/MediaBox \[0 0 297\.64 419\.53\]/g)).toHaveLength(1)
    expect(file).toContain('/Lang (en)')
    expect(file).toContain('DejaVuSans')
    const text = textOf(bytes)
    for (const line of ['Ада Лавлейс', 'Οδός Ερμού 1', '10115 Berlin', 'GERMANY', 'Bike courier BC-4711'])
      expect(text).toContain(line)
    expect(text).toContain(`Order ${label.orderId}`)
    expect(text).toContain('3 pieces')
  })

  it('stays one page, however long the address is', async () => {
    const long = 'Mississippi '.repeat(16)
    const bytes = await labelOf({ ...label, to: { ...address, name: long, street: long, city: long } })
    expect(
      Buffer.from(bytes)
        .toString('latin1')
        .match(/\/MediaBox/g),
    ).toHaveLength(1)
  })
})

describe('get-parcel-label', () => {
  let shop: TestShop
  let close: () => void
  beforeAll(async () => {
    let handler: Handler
    const { server, port } = await listen((request, response) => handler(request, response), 0)
    shop = await openShop(['orders', 'shipments'], { FUNCTION_URL: `http://127.0.0.1:${port}` })
    const functions = toServer(shop.app)
    handler = (request, response) => functions.emit('request', request, response)
    close = () => {
      server.close()
      server.closeAllConnections()
    }
    await knowProducts(shop, ['MUG', 1000])
  })
  afterAll(async () => {
    close()
    await shop.close()
  })

  /** Returns the path of the label of an order's parcel. */
  async function packed(orderId?: string) {
    const id = await queue(shop, orderId === undefined ? {} : { orderId })
    await shop.post(`/shipments/${id}/taking`, { as: 'staff' })
    const body = { items: [{ sku: 'MUG', quantity: 1 }] }
    const parcel = await shop.create(`/shipments/${id}/parcels`, { as: 'staff', body })
    return `/shipments/${id}/parcels/${parcel.id}`
  }

  it('makes it for the address that the order has now', async () => {
    const customer = shop.newUser()
    const order = await place(shop, customer, newOrder([{ sku: 'MUG', quantity: 3 }]))
    const path = await packed(order.id)
    const deliveryAddress = { ...address, street: 'Neue Straße 2' }
    await shop.patch(`/orders/${order.id}`, { as: customer, ifMatch: '*', body: { deliveryAddress } })
    await shop.post(`${path}/shipment`, { as: 'admin', body: dispatch })
    const answer = await shop.get(`${path}/label`, { as: 'staff' })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/pdf'])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.text.slice(0, 5)).toBe('%PDF-')
    expect((await shop.get(`${path}/label`, { as: customer })).status).toBe(403)
  })

  it('makes none for a parcel that was unpacked', async () => {
    const path = await packed()
    await shop.delete(path, { as: 'staff' })
    expect((await shop.get(`${path}/label`, { as: 'staff' })).status).toBe(409)
  })
})
