// Node runs this file as it is, by removing the types, and as tsc compiles it.
interface Order {
  readonly id: number;
  readonly total: number;
}
type Limit = number;

const limit: Limit = 100;

function accept(order: Order): Order {
  if (order.total > limit) throw new RangeError(`order ${order.id} is above ${limit}`);
  return order;
}

export const cases = {
  "a function that throws": { value: () => (): Order => accept({ id: 7, total: 200 }) },
};
