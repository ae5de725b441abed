/** Returns the value at a place, counted round and round. */
export const pick = <T>(values: readonly T[], n: number): T => values[n % values.length]!

const firstNames = ['Ada', 'Ben', 'Carla', 'Dino', 'Elena', 'Farid', 'Grace', 'Hugo', 'Ines', 'Jan', 'Kaya']
const lastNames = ['Abel', 'Berg', 'Costa', 'Diaz', 'Ek', 'Fischer', 'Garcia', 'Holm', 'Ito', 'Jansen']
const streets = ['Werkstraße', 'Am Hafen', 'Lindenweg', 'Ringstraße', 'Marktplatz', 'Gartenweg', 'Mühlgasse']
const towns = [
  ['10115', 'Berlin'],
  ['20095', 'Hamburg'],
  ['50667', 'Köln'],
  ['80331', 'München'],
  ['04109', 'Leipzig'],
] as const

/** The name of the nth shopper. */
export const personName = (n: number) =>
  `${pick(firstNames, n)} ${pick(lastNames, Math.floor(n / firstNames.length))}`

/** Where the nth shopper lives. */
export function addressOf(n: number) {
  const [postalCode, city] = pick(towns, n)
  return {
    name: personName(n),
    street: `${pick(streets, n)} ${1 + (n % 120)}`,
    postalCode,
    city,
    country: 'DE',
  }
}

export const colours = ['blue', 'red', 'green', 'black', 'steel', 'yellow', 'orange']
export const makers = ['Ardent', 'Bramble', 'Corvid', 'Drumlin', 'Esker', 'Fathom', 'Garnet', 'Hollow']

/** What is sold: a category, a thing and what it usually costs, in cents. */
export const goods = [
  ['tyres', 'Tyre', 3_490],
  ['tubes', 'Inner tube', 690],
  ['chains', 'Chain', 2_990],
  ['brakes', 'Brake pads', 1_590],
  ['lights', 'Front light', 4_900],
  ['lights', 'Rear light', 2_900],
  ['saddles', 'Saddle', 5_900],
  ['pedals', 'Pair of pedals', 3_900],
  ['bags', 'Pannier', 7_900],
  ['bottles', 'Bottle', 990],
  ['gloves', 'Pair of gloves', 2_490],
  ['helmets', 'Helmet', 6_900],
  ['locks', 'Lock', 4_490],
  ['pumps', 'Floor pump', 3_990],
  ['tools', 'Multi-tool', 2_790],
  ['mudguards', 'Pair of mudguards', 2_990],
] as const
