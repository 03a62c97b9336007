import { serve } from '../lib/serve.mjs'

const STOCK = { 'item-1': 12, 'item-2': 3, 'item-3': 40, 'item-4': 0, 'item-5': 7, 'item-6': 1, 'item-7': 25 }

await serve(({ config, me }) => ({
  '/stock': () => {
    const lowStockBelow = config.get('lowStockBelow')
    const low = Object.keys(STOCK).filter((item) => STOCK[item] < lowStockBelow)
    return { ...me, lowStockBelow, low }
  },
}))
