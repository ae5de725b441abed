import type { Collection } from 'mongodb'
import { ensureCategories, openCategories } from '../functions/products/category-store.ts'
import { newProduct, type NewProduct, type ProductDocument } from '../functions/products/product.ts'
import { isDuplicate } from '../functions/shared/store/mongodb-errors.ts'

/** A product to add, and its initial stock. */
export interface CatalogueEntry {
  product: NewProduct
  quantity: number
}

export interface SeededProduct {
  sku: string
  sellerId: string
  quantity: number
}

/**
 * Adds the products of a catalogue whose SKUs do not exist yet, and their events. It may run any number of
 * times.
 * @returns the seller's products of this catalogue, with their initial stock
 */
export async function seedProducts(
  products: Collection<ProductDocument>,
  sellerId: string,
  catalogue: readonly CatalogueEntry[] = workshopCatalogue,
): Promise<SeededProduct[]> {
  const named = catalogue.map(({ product }) => product.category)
  await ensureCategories(openCategories(products.db), named)
  await Promise.all(catalogue.map(({ product }) => add(products, newProduct(product, sellerId))))
  const skus = catalogue.map(({ product }) => product.sku)
  const owned = await products
    .find({ sku: { $in: skus }, sellerId, deletedAt: null })
    .project<{ sku: string }>({ sku: 1 })
    .toArray()
  return catalogue
    .filter(({ product }) => owned.some(({ sku }) => sku === product.sku))
    .map(({ product: { sku }, quantity }) => ({ sku, sellerId, quantity }))
}

async function add(products: Collection<ProductDocument>, product: ProductDocument): Promise<void> {
  try {
    await products.insertOne(product)
  } catch (error) {
    if (!isDuplicate(error)) throw error
  }
}

const eur = (amount: number) => ({ amount, currency: 'EUR' })

/** The catalogue of a small shop with a workshop. Prices are in cents. */
export const workshopCatalogue: readonly CatalogueEntry[] = [
  {
    product: {
      sku: 'MUG-BLUE',
      name: 'Enamel mug, blue',
      description: 'A mug for the bench and the camp fire: it dents, but does not break.',
      category: 'mugs',
      price: eur(1290),
      attributes: { colour: 'blue', volumeMl: 330, dishwasherSafe: true },
    },
    quantity: 40,
  },
  {
    product: {
      sku: 'MUG-RED',
      name: 'Enamel mug, red',
      description: 'The same mug in the colour that is found again.',
      category: 'mugs',
      price: eur(1290),
      attributes: { colour: 'red', volumeMl: 330, dishwasherSafe: true },
    },
    quantity: 25,
  },
  {
    product: {
      sku: 'MUG-TRAVEL',
      name: 'Travel mug',
      description: 'Stainless steel with a lid that holds tight in a pannier.',
      category: 'mugs',
      price: eur(2450),
      attributes: { colour: 'steel', volumeMl: 450, dishwasherSafe: false },
    },
    quantity: 12,
  },
  {
    product: {
      sku: 'TOOL-HEX-SET',
      name: 'Hex key set',
      description: 'Nine keys from 1.5 to 10 mm with ball ends.',
      category: 'tools',
      price: eur(1890),
      attributes: { pieces: 9, material: 'chrome vanadium steel' },
    },
    quantity: 30,
  },
  {
    product: {
      sku: 'TOOL-TORQUE',
      name: 'Torque wrench 2–24 Nm',
      description: 'For carbon bars, stems and everything else that cracks when it is tightened by feel.',
      category: 'tools',
      price: eur(8900),
      attributes: { minNm: 2, maxNm: 24, calibrated: true },
    },
    quantity: 6,
  },
  {
    product: {
      sku: 'TOOL-CHAIN',
      name: 'Chain tool',
      description: 'Presses pins out and in again, for chains with 8 to 12 speeds.',
      category: 'tools',
      price: eur(2790),
      attributes: { speeds: '8-12' },
    },
    quantity: 15,
  },
  {
    product: {
      sku: 'TOOL-STAND',
      name: 'Folding work stand',
      description: 'Holds up to 25 kg at the height at which the back does not hurt.',
      category: 'tools',
      price: eur(14900),
      attributes: { maxKg: 25, foldable: true },
    },
    quantity: 3,
  },
  {
    product: {
      sku: 'KIT-PUNCTURE',
      name: 'Puncture repair kit',
      description: 'Six patches, glue, sandpaper and two tyre levers in a tin.',
      category: 'kits',
      price: eur(690),
      attributes: { patches: 6 },
    },
    quantity: 100,
  },
  {
    product: {
      sku: 'KIT-WHEEL',
      name: 'Wheel building workshop kit',
      description: 'Rim, hub, 32 spokes and a booklet: a wheel at the end of a Saturday.',
      category: 'kits',
      price: eur(11900),
      attributes: { spokes: 32, hours: 6, size: '28"' },
    },
    quantity: 5,
  },
  {
    product: {
      sku: 'KIT-LIGHT',
      name: 'Solder-your-own bike light',
      description: 'A circuit board, LEDs and a case; a soldering iron is not included.',
      category: 'kits',
      price: eur(2990),
      attributes: { hours: 2, lumen: 40 },
    },
    quantity: 20,
  },
  {
    product: {
      sku: 'PART-CHAIN-11',
      name: 'Chain, 11 speeds',
      description: '118 links with a quick link.',
      category: 'bike parts',
      price: eur(3290),
      attributes: { speeds: 11, links: 118 },
    },
    quantity: 50,
  },
  {
    product: {
      sku: 'PART-PADS',
      name: 'Disc brake pads',
      description: 'A pair of organic pads, quiet in the wet.',
      category: 'bike parts',
      price: eur(1590),
      attributes: { compound: 'organic', pair: true },
    },
    quantity: 80,
  },
]
