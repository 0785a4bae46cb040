import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { DataFacts } from "../core/data.ts";
import { KitchenError } from "../core/errors.ts";
import type { Arrival } from "./arrival.ts";
import type { Intake } from "./intake.ts";
import type { Arrived, LocalPart } from "./types.ts";

/** Parts that workers of this node write themselves. */
export class LocalParts {
  readonly #intake: Intake;
  readonly #open = new Map<string, Arrival>();

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  /** `size`: what the worker says it will write, which is given its room. */
  async begin(size?: number): Promise<LocalPart> {
    const start = { kind: "local", url: null, size: size ?? null } as const;
    const arrival =
      size === undefined ? this.#intake.begin(start) : await this.#intake.admit(start, "Cannot save here");
    this.#open.set(arrival.id, arrival);
    return { id: arrival.id, path: arrival.part };
  }

  isOpen(id: string): boolean {
    return this.#open.has(id);
  }

  /** Puts a part in place. Its size is looked at; its hash is taken from the worker that wrote it. */
  async finish(id: string, facts: DataFacts): Promise<Arrived> {
    const arrival = this.#open.get(id);
    const what = `Cannot save data as "${facts.url}"`;
    if (arrival === undefined)
      throw new KitchenError("KS_BAD_REQUEST", `${what}: no part of this id is open`);
    this.#open.delete(id);
    return this.#intake.finish(arrival, what, async () => {
      await syncPart(arrival.part, facts.size, what);
      arrival.grow(facts.size);
      return facts;
    });
  }

  async abandon(id: string): Promise<void> {
    const arrival = this.#open.get(id);
    if (arrival === undefined) return;
    this.#open.delete(id);
    await this.#intake.abandon(
      arrival,
      new KitchenError("KS_DATA_UNAVAILABLE", "Cannot save data: its worker gave it up"),
    );
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open.keys(), (id) => this.abandon(id)));
  }
}

async function syncPart(path: string, size: number, what: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new KitchenError("KS_BAD_REQUEST", `${what}: its part is no regular file`);
    if (stats.size !== size)
      throw new KitchenError(
        "KS_BAD_REQUEST",
        `${what}: its part has ${stats.size} bytes, and ${size} were announced (write it again)`,
      );
    await handle.chmod(0o444);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
