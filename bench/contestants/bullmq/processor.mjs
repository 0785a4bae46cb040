export default async function add({ data: { a, b } }) {
  return a + b;
}
