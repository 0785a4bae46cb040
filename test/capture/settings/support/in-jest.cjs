// A test file of Jest's, which has a vm context, modules and packages of its own. What it found goes to a file.
const { writeFileSync } = require("node:fs");
const { EventEmitter } = require("node:events");
const acorn = require("acorn");
const { LRUCache } = require("lru-cache");
const {
  Client,
  client: current,
  KitchenError,
  registerCodec,
  registerError,
  setupClient,
} = require("kitchensink");
const { startCluster } = require("kitchensink/testing");

const own = console;
const { env } = process;

class Cart extends EventEmitter {
  #items = [];
  add = (item) => this.#items.push(item);
}

class NoSuchHat extends Error {}
registerError(NoSuchHat);
registerCodec({
  name: "hat",
  encode: (value) => Buffer.from(String(value)),
  decode: (bytes) => bytes.length,
});

const caught = async (promise) => {
  try {
    return await promise;
  } catch (error) {
    return error;
  }
};

const look = async (client) => {
  const cart = new Cart();
  const mock = jest.fn();
  const named = await client.call("list", 1);
  const refused = await caught(Promise.resolve().then(() => client.call(() => mock())));
  return {
    packages: await client.call(() => [
      acorn.parse("1", { ecmaVersion: 2022 }).type,
      new LRUCache({ max: 2 }).max,
    ]),
    requires: await client.call(() => require("node:path").join("a", "b")),
    ofNode: await client.call(() => [own === console, env === process.env]),
    lexical: await client.call(() => cart.add("hat") + cart.add("cap")),
    named: [Object.getPrototypeOf(named) === Array.prototype, named[1] instanceof Map],
    ownError: (await caught(client.call("buy"))) instanceof NoSuchHat,
    builtIn: (await caught(client.call("fail"))) instanceof TypeError,
    refused: [refused instanceof KitchenError, refused.message],
  };
};

const LIST = [1, new Map([[1, [1]]])];

test("every way to a client gives results of this context, and clients of one class", async () => {
  const first = setupClient(process.env.SETTING_URL, { output: "off" });
  const cluster = await startCluster({ modules: [process.env.SETTING_MODULE] });
  try {
    for (const one of [first, current(), first.with({ retries: 1 }), cluster.client, cluster.connect()]) {
      expect(one).toBeInstanceOf(Client);
      expect(await one.call("list", 1)).toStrictEqual(LIST);
    }
    expect(await first.call(() => Client.name)).toBe("Client");
    const numbers = (async function* () {
      yield* [1, 2, 3];
    })();
    expect(await first.map((n) => n * n, numbers)).toEqual([1, 4, 9]);
  } finally {
    await first.close();
    await cluster.close();
  }
});

test("it", async () => {
  const client = new Client(process.env.SETTING_URL, { output: "off" });
  try {
    const report = await look(client);
    await expect(client.call("fail")).rejects.toThrow(TypeError);
    expect(await client.call("list", 1)).toStrictEqual(LIST);
    writeFileSync(process.env.SETTING_REPORT, JSON.stringify(report));
  } finally {
    await client.close();
  }
});
