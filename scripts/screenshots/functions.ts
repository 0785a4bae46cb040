import { currentJob } from "kitchensink";
import { define, namespace } from "kitchensink/functions";
import { z } from "zod";

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

/** Prints a catalog as a booklet. */
const printCatalog = define({
  input: z.object({
    title: z.string().min(3).describe("What stands on its cover"),
    pages: z.number().int().min(4).max(400).default(32),
    paper: z.enum(["plain", "glossy"]).describe("What it is printed on"),
    isDraft: z.boolean().default(false),
    chapters: z.array(z.string()).optional(),
  }),
  run: async ({ title, pages }): Promise<number> => await work(`${title}, ${pages} pages`, pages * 100),
});

async function work(what: string, ms: number): Promise<number> {
  console.log(`begin with the ${what}`);
  for (let done = 0; done < STEPS; done += 1) {
    currentJob().progress(done, STEPS, what);
    await new Promise((resolve) => setTimeout(resolve, ms / STEPS));
  }
  console.log("all of it is done");
  return what.length;
}

const STEPS = 20;

export default namespace("shop", { sumOrders, resize, indexPage, fetchRates, printCatalog });
