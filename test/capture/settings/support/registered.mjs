// Functions that a node registers.
class NoSuchHat extends Error {}

export const list = (one) => [one, new Map([[one, [one]]])];
export function buy() {
  throw new NoSuchHat("none left");
}
export function fail() {
  throw new TypeError("not a hat");
}
