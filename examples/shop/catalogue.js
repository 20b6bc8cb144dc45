/** What the shop sells, and how its prices are written. */

/**
 * @typedef {object} Tea
 * @property {string} id
 * @property {string} name
 * @property {string} origin
 * @property {string} line One line for the overview.
 * @property {string} text A paragraph for the page of the tea.
 * @property {number} price Cents for a tin of 100 g.
 * @property {string} water How hot, and how long.
 * @property {{ ground: string, tin: string, lid: string, label: string, leaf: string }} colours
 */

/** @type {readonly Tea[]} */
export const teas = [
  {
    id: 'assam-mangalam',
    name: 'Assam Mangalam',
    origin: 'Assam, India',
    line: 'Malt, honey, and a proper amount of strength.',
    text: 'Second-flush leaves with golden tips, from the south bank of the Brahmaputra. It takes milk without losing itself, and a second infusion without complaint.',
    price: 1190,
    water: '95 °C, 4 minutes',
    colours: { ground: '#f3d9b8', tin: '#9c4221', lid: '#7b341e', label: '#fff4e3', leaf: '#9c4221' },
  },
  {
    id: 'sencha-uji',
    name: 'Sencha Uji',
    origin: 'Kyoto, Japan',
    line: 'Fresh grass after rain, with a sweet finish.',
    text: 'First harvest of the year, steamed for forty seconds and rolled into fine needles. Brew it cooler than feels right: that is where the sweetness is.',
    price: 1650,
    water: '70 °C, 90 seconds',
    colours: { ground: '#d5e8cf', tin: '#2f6b4a', lid: '#245239', label: '#f2f9ea', leaf: '#2f6b4a' },
  },
  {
    id: 'dong-ding',
    name: 'Dong Ding Oolong',
    origin: 'Nantou, Taiwan',
    line: 'Roasted twice; butter, peach and warm bread.',
    text: 'Rolled into tight beads on the mountain it is named after, then roasted over charcoal. Six infusions, and each of them has something else to say.',
    price: 1890,
    water: '90 °C, 2 minutes',
    colours: { ground: '#cfe3ea', tin: '#1f5a73', lid: '#174557', label: '#eef8fb', leaf: '#1f5a73' },
  },
  {
    id: 'bai-mudan',
    name: 'Bai Mudan',
    origin: 'Fujian, China',
    line: 'White tea. Melon, hay, and plenty of quiet.',
    text: 'Buds and young leaves, withered in the shade and otherwise left alone. The most forgiving tea in the shop: it never turns bitter.',
    price: 1420,
    water: '80 °C, 5 minutes',
    colours: { ground: '#e9e3f1', tin: '#5b4a86', lid: '#463868', label: '#f8f5fd', leaf: '#5b4a86' },
  },
  {
    id: 'lapsang',
    name: 'Lapsang Souchong',
    origin: 'Wuyi, China',
    line: 'Pinewood smoke, for the end of the day.',
    text: 'Dried over smouldering pine in a wooden loft, as it has been done for four hundred years. Good on its own; better with a book and bad weather.',
    price: 1280,
    water: '95 °C, 3 minutes',
    colours: { ground: '#dcdad6', tin: '#3f3f46', lid: '#2b2b31', label: '#f5f4f2', leaf: '#3f3f46' },
  },
  {
    id: 'rooibos-cederberg',
    name: 'Rooibos Cederberg',
    origin: 'Western Cape, South Africa',
    line: 'No caffeine, vanilla by nature.',
    text: 'Grown at eight hundred metres in the Cederberg, bruised, and left to redden in the sun. For evenings, for children, and for those who have had enough coffee.',
    price: 890,
    water: '100 °C, 6 minutes',
    colours: { ground: '#f6d5cf', tin: '#a3323c', lid: '#80252e', label: '#fff1ef', leaf: '#a3323c' },
  },
]

/** @param {string} id */
export function findTea(id) {
  return teas.find((tea) => tea.id === id)
}

/** @param {number} cents */
export function price(cents) {
  return EUROS.format(cents / 100)
}

const EUROS = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' })

/** What delivery can be had, and for how many cents. */
export const deliveries = [
  { id: 'standard', name: 'Standard', text: 'Three to five working days, by post', price: 390 },
  { id: 'express', name: 'Express', text: 'Tomorrow, by bicycle courier', price: 890 },
  { id: 'pickup', name: 'Pick up', text: 'At our counter, from ten to six', price: 0 },
]

/** @param {string | undefined} id */
export function findDelivery(id) {
  return deliveries.find((delivery) => delivery.id === id)
}
