/** What a customer can do with an order. */
export const BUTTONS = ['pay']
