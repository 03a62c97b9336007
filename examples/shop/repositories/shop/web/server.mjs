import { serve } from '../lib/serve.mjs'

await serve(({ config, me, call }) => ({
  '/': async () => ({
    ...me,
    greeting: config.get('greeting'),
    currency: config.get('currency'),
    orders: await call('orders', '/orders'),
  }),
}))
