import { namespace } from "kitchensink/functions";

/** Sums up the orders of a day. */
const sumOrders = async (day: string, ms = 400): Promise<number> => await work(`orders of ${day}`, ms);

/** Makes a picture smaller. */
const resize = async (name: string, width = 640, ms = 900): Promise<number> =>
  await work(`${name} to ${width} pixels`, ms);

/** Looks for words in a page. */
const indexPage = async (url: string, ms = 150): Promise<number> => await work(`words of ${url}`, ms);

/** Fails now and then, as networks do. */
const fetchRates = async (bank: string, ms = 300): Promise<number> => {
  await work(`rates of ${bank}`, ms);
  if (bank.length % 3 === 0) throw new TypeError(`${bank} answered 503`);
  return 1.08;
};

async function work(what: string, ms: number): Promise<number> {
  console.log(`begin with the ${what}`);
  await new Promise((resolve) => setTimeout(resolve, ms / 2));
  console.log("half of it is done");
  await new Promise((resolve) => setTimeout(resolve, ms / 2));
  return what.length;
}

export default namespace("shop", { sumOrders, resize, indexPage, fetchRates });
