import { startCluster, type Cluster } from "kitchensink/testing";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { Client, KitchenError, type Job } from "kitchensink";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.close());

/** What a call throws; fails when it throws nothing. */
async function thrownBy(fn: () => unknown, options: { async?: boolean } = {}): Promise<unknown> {
  const nothing = Symbol("nothing");
  const thrown = await cluster.client
    .with(options)
    .call(fn)
    .then(
      () => nothing,
      (error: unknown) => error,
    );
  expect(thrown).not.toBe(nothing);
  return thrown;
}

test.each([true, false])("an error of a built-in class arrives as that class (async: %s)", async (async) => {
  const error = await thrownBy(
    () => {
      throw new TypeError("bad", { cause: new RangeError("worse", { cause: "the worst" }) });
    },
    { async },
  );
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ name: "TypeError", message: "bad" });
  const { cause } = error as Error;
  expect(cause).toBeInstanceOf(RangeError);
  expect(cause).toMatchObject({ message: "worse", cause: "the worst" });
});

test("an AggregateError brings its errors", async () => {
  const error = await thrownBy(() => {
    throw new AggregateError([new SyntaxError("one"), "two"], "both");
  });
  expect(error).toBeInstanceOf(AggregateError);
  const { errors, message } = error as AggregateError;
  expect(message).toBe("both");
  expect(errors[0]).toBeInstanceOf(SyntaxError);
  expect(errors[1]).toBe("two");
});

test("own properties of an error come along", async () => {
  const error = await thrownBy(() => {
    throw Object.assign(new Error("with more"), { code: "E_MORE", details: new Map([["rows", 3]]) });
  });
  expect(error).toMatchObject({ code: "E_MORE", details: new Map([["rows", 3]]) });
});

test("a property that cannot travel is left behind with a note, and the error arrives", async () => {
  const error = await thrownBy(() => {
    throw Object.assign(new TypeError("half"), { code: 7, pending: Promise.resolve(1) });
  });
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ message: "half", code: 7, pending: expect.stringContaining("left behind") });
});

test.each([["x"], [undefined], [null], [42], [{ reason: "plain" }]])(
  "throw %j arrives as it is",
  async (value) => {
    const thrown = await cluster.client
      .call((what: unknown) => {
        throw what;
      }, value)
      .catch((error: unknown) => error);
    expect(thrown).toEqual(value);
  },
);

class Overdrawn extends Error {
  override name = "Overdrawn";
  readonly #missing: number;
  constructor(missing: number) {
    super(`${missing} cents are missing`);
    if (!Number.isInteger(missing)) throw new RangeError("whole cents only");
    this.#missing = missing;
  }
  exceeds(other: Overdrawn): boolean {
    return this.#missing > other.#missing;
  }
}
class Purse {
  #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  pay(cents: number): this {
    if (cents > this.#cents) throw new Insufficient(cents - this.#cents);
    this.#cents -= cents;
    return this;
  }
  equals(other: Purse): boolean {
    return this.#cents === other.#cents;
  }
}
class Insufficient extends Overdrawn {
  readonly #at: string;
  constructor(missing: number) {
    super(missing);
    this.#at = "the till";
    Insufficient.made.push(this);
  }
  static readonly made: Insufficient[] = [];
  at(): string {
    return this.#at;
  }
}

test("errors and instances of classes with private fields are of the caller's own classes", async () => {
  const error = await thrownBy(() => new Purse(30).pay(100));
  expect(error).toBeInstanceOf(Insufficient);
  expect(error).toMatchObject({ name: "Overdrawn", message: "70 cents are missing" });
  expect((error as Insufficient).at()).toBe("the till");
  expect(Insufficient.made).toEqual([]);
  const purse = await cluster.client.call((one: Purse) => one.pay(10), new Purse(30));
  expect(purse).toBeInstanceOf(Purse);
  expect(new Purse(20).equals(purse)).toBe(true);
});

test("the stack shows the remote frames in this file, then the line that awaited", async () => {
  const fail = (): never => {
    throw new Error("here");
  };
  async function caller(): Promise<void> {
    await cluster.client.call(() => fail());
  }
  const error = await caller().catch((thrown: unknown) => thrown);
  const lines = (error as Error).stack?.split("\n") ?? [];
  expect(lines[0]).toBe("Error: here");
  const remote = lines.findIndex((line) => /\(job [0-9a-f-]{36}\)/.test(line));
  expect(remote).toBeGreaterThan(1);
  expect(lines.slice(1, remote).some((line) => line.includes("errors.test.ts"))).toBe(true);
  expect(
    lines.slice(1, remote).every((line) => !line.includes("kitchensink:fn") && !line.includes("/dist/")),
  ).toBe(true);
  expect(lines.slice(remote).find((line) => line.includes("caller"))).toMatch(/errors\.test\.ts:\d+/);
});

test("what the worker cannot send back is refused with the path to it", async () => {
  const error = await cluster.client
    .call(() => ({ rows: [{ later: Promise.resolve(1) }] }))
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(KitchenError);
  expect(error).toMatchObject({
    code: "KS_CANNOT_CAPTURE",
    message: expect.stringMatching(/result.*rows.*later/s),
  });
});

test("what cannot travel to the worker is refused by name before anything is sent", () => {
  const pending = Promise.resolve(1);
  expect(() => cluster.client.call(() => pending)).toThrow(/pending/);
  expect(() => cluster.client.call((x: unknown) => x, { deep: [pending] })).toThrow(/args\[0\].*deep.*\[0\]/);
});

test("a job that nobody awaits fails in silence", async () => {
  const seen: unknown[] = [];
  const note = (reason: unknown): number => seen.push(reason);
  process.on("unhandledRejection", note);
  try {
    const job = cluster.client.call(() => {
      throw new Error("unheard");
    });
    await expect.poll(() => job.status().catch(() => undefined)).toMatchObject({ state: "failed" });
    expect(seen).toEqual([]);
    await expect(job).rejects.toThrow("unheard");
    await expect(job).rejects.toThrow("unheard");
  } finally {
    process.off("unhandledRejection", note);
  }
});

test.each(["json", "structured", "closure"])(
  "the codec %s carries arguments, results and errors",
  async (codec) => {
    const c = cluster.client.with({ codec });
    expect(await c.call((rows: number[]) => ({ rows, sum: rows.length }), [1, 2])).toEqual({
      rows: [1, 2],
      sum: 2,
    });
    expect(await c.call(() => undefined)).toBe(undefined);
    await expect(
      c.call(() => {
        throw new TypeError("no");
      }),
    ).rejects.toBeInstanceOf(TypeError);
  },
);

test("a codec of one's own is used on both sides, once a module registers it for the workers", async () => {
  const { shouting } = await import("./fixtures/codec.ts");
  const own = await startCluster({
    modules: [fileURLToPath(new URL("./fixtures/codec.ts", import.meta.url))],
  });
  onTestFinished(() => own.close());
  expect(shouting.name).toBe("shouting");
  expect(await own.client.with({ codec: "shouting" }).call("echo", "hi")).toBe("HI, AND HI");
  await expect(cluster.client.with({ codec: "shouting" }).call(() => 1)).rejects.toMatchObject({
    code: "KS_UNKNOWN_CODEC",
    message: expect.stringContaining("in the client and in a --module file"),
  });
});

test.each([true, false])(
  "an item that cannot be read ends its generator, and the worker is free again (async: %s)",
  async (async) => {
    await import("./fixtures/codec.ts");
    await using own = await startCluster({
      modules: [fileURLToPath(new URL("./fixtures/codec.ts", import.meta.url))],
    });
    const c = own.client.with({ codec: "shouting", async });
    const items = await c.call<AsyncGenerator<boolean>>("unreadable");
    await expect(items.next()).rejects.toThrow(SyntaxError);
    expect(await c.call("echo", "hi")).toBe("HI, AND HI");
    expect(await items.next()).toEqual({ value: undefined, done: true });
  },
);

test("a codec refuses what it cannot carry, with the path, on either side", async () => {
  const json = cluster.client.with({ codec: "json" });
  expect(() => json.call((x: unknown) => x, { rows: [{ at: new Map() }] })).toThrow(
    'Cannot encode args[0].rows[0].at with the codec "json"',
  );
  await expect(json.call(() => ({ huge: 1n }))).rejects.toMatchObject({
    code: "KS_CANNOT_ENCODE",
    message: expect.stringContaining("result.huge"),
  });
});

test("a function that only throws has no result, by its type too", async () => {
  const job = cluster.client.call((): never => {
    throw new RangeError("as always");
  });
  expectTypeOf(job).toEqualTypeOf<Job<never>>();
  await expect(job).rejects.toThrow("as always");
});

test("an error of the client's own has a cause only when there is one", async () => {
  const client = new Client(cluster.urls[0] ?? "", { token: cluster.token, output: "off" });
  const job = client.with({ queue: "nobody" }).call(() => 1);
  const thrown = job.then(
    () => undefined,
    (error: unknown) => error,
  );
  await job.status();
  await client.close();
  const error = await thrown;
  expect(error).toBeInstanceOf(KitchenError);
  expect(error).not.toHaveProperty("cause");
  await cluster.client.cancelAll();
});

test("the stack of what an item of a map throws ends with the line that awaits, or iterates", async () => {
  const throwing = (item: number): number => {
    if (item === 2) throw new RangeError("two");
    return item;
  };
  async function awaitAll(): Promise<unknown> {
    return await cluster.client.map(throwing, [1, 2, 3]);
  }
  async function iterate(): Promise<void> {
    for await (const _ of cluster.client.map(throwing, [1, 2, 3]));
  }
  for (const fn of [awaitAll, iterate]) {
    const error: unknown = await fn().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RangeError);
    const frames = (error as Error).stack?.split("\n") ?? [];
    const job = frames.findIndex((line) => line.includes("(job "));
    expect(frames.slice(1, job).join("\n")).toContain("at throwing");
    expect(frames.slice(job + 1).join("\n")).toContain(`${fn.name} (`);
    expect(frames.filter((line) => line.includes(`${fn.name} (`))).toHaveLength(1);
  }
});

test("an error of the platform arrives as what it is, with its stack from there to here", async () => {
  const error = await thrownBy(() => {
    throw new DOMException("stop", "AbortError");
  });
  expect(error).toBeInstanceOf(DOMException);
  expect(error).toMatchObject({ name: "AbortError", message: "stop", code: DOMException.ABORT_ERR });
  expect((error as DOMException).stack).toMatch(/errors\.test\.ts:\d+:\d+\)?\n +at anonymous \(job /);
});
