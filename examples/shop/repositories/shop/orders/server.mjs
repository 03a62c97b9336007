import { serve } from '../lib/serve.mjs'
import { BUTTONS } from './buttons.mjs'

const ORDERS = Array.from({ length: 100 }, (_, index) => ({
  id: index + 1,
  item: `item-${(index % 7) + 1}`,
  price: 10,
}))

await serve(({ config, me, call }) => {
  // Config is read at each request, so it is always the newest. What must be built from it is rebuilt when it changes:
  let priceList = buildPriceList(config.get('discountPercent'))
  config.onChange('discountPercent', (percent) => {
    priceList = buildPriceList(percent)
  })

  return {
    '/orders': async () => {
      const orders = priceList.slice(0, config.get('pageSize'))
      const amount = orders.reduce((sum, { price }) => sum + price, 0)
      const [inventory, payments] = await Promise.all([
        call('inventory', '/stock'),
        call('payments', `/quote?amount=${amount}`),
      ])
      return { ...me, pageSize: orders.length, buttons: BUTTONS, orders, inventory, payments }
    },
    '/callback': () => ({ ...me, acknowledged: true }),
  }
})

function buildPriceList(discountPercent) {
  return ORDERS.map((order) => ({ ...order, price: (order.price * (100 - discountPercent)) / 100 }))
}
