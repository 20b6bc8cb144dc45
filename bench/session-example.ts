/** The session that all benchmarks work on: 237 bytes as JSON, what a shop keeps about a visitor. */

export interface ExampleSession {
  user?: { id: number; name: string; email: string; roles: string[] }
  cart?: Array<{ sku: string; quantity: number; price: number }>
  csrf?: string
  views?: number
}

export function exampleSession(): Required<ExampleSession> {
  return {
    user: { id: 48213, name: 'Ada Lovelace', email: 'ada@example.org', roles: ['customer', 'editor'] },
    cart: [
      { sku: 'BK-1815', quantity: 2, price: 19.99 },
      { sku: 'PC-1843', quantity: 1, price: 249.5 },
    ],
    csrf: 'q7Zt1pXo4Lr9aKfVw2sYbDn8',
    views: 17,
  }
}
