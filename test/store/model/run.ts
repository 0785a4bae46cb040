/** Lets a history happen to a store and to the model at once, and compares them after every call. */
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { NodeName } from "../../../src/core/ids.ts";
import type { Offers, Store, StoreEvent, Swept } from "../../../src/store/port.ts";
import { bytes, TERMS } from "../support/harness.ts";
import { ask, type Call, callerOf, heardBy, perform, see, seen } from "./calls.ts";
import { comparable, shownCall } from "./compare.ts";
import { Ledger } from "./ledger.ts";
import { Nodes } from "./nodes.ts";
import { emptyWorld, termsOfOthers, type World } from "./state.ts";
import { IDS, leaseOf, MAX_DEATHS, NODES, QUEUES, SETTINGS, type Step, UNIT_MS } from "./steps.ts";

/** A store under test. */
export interface Subject {
  readonly nowMs: number;
  /** Times and lengths of time are to be as the model says, to the ms. */
  readonly isExact: boolean;
  /** The store as a node has it. */
  readonly storeOf: (node: NodeName) => Store;
  readonly pass: (ms: number) => Promise<void>;
  /** What the nodes that listen have heard since they were last asked; all that was sent is in it. */
  readonly heard: () => Promise<ReadonlyMap<NodeName, readonly StoreEvent[]>>;
  /** Names of what is still in the store and should not be when all has expired. */
  readonly left: () => Promise<readonly string[]>;
}

/** Runs a history, brings all jobs to their end, and lets everything expire: nothing is left then. */
export async function run(subject: Subject, steps: readonly Step[]): Promise<void> {
  const history = new History(subject);
  for (const node of NODES) await history.register(node, 4);
  for (const step of steps) await history.step(step);
  await settle(history);
  await history.expectEmpty();
}

const ANYONE: Offers = { nodes: [], othersDelayMs: 0 };

/** No job may be stranded: one node that goes on while all others are silent, and then all of them, end every job. */
async function settle(history: History): Promise<void> {
  const [first] = NODES;
  await history.register(first!, 1);
  await history.register(first!, 30);
  await history.do({ do: "pass", ms: 10 * UNIT_MS });
  await history.endAll(first!);
  for (const node of NODES) await history.register(node, 30);
  for (const node of NODES) await history.endAll(node);
  expect({ areAllFinal: history.ledger.areAllFinal }).toEqual({ areAllFinal: true });
  for (const node of NODES) await history.do({ do: "leave", node });
  await history.do({ do: "pass", ms: SETTINGS.resultTtlMs + SETTINGS.unitTtlMs });
  await history.expectEmpty();
}

class History {
  readonly ledger = new Ledger();
  readonly #subject: Subject;
  readonly #nodes = new Nodes();
  readonly #log: Call[] = [];
  #world: World;

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#world = emptyWorld(subject.nowMs, SETTINGS);
  }

  async step(step: Step): Promise<void> {
    for (const call of this.#nodes.callsFor(step, this.#world)) await this.do(call);
  }

  /** As the process that has the name, in a cluster of whatever terms. */
  async register(name: NodeName, leaseUnits: number): Promise<void> {
    const { incarnation } = this.#world.leases.get(name)?.registration ?? { incarnation: "a" };
    const terms = termsOfOthers(this.#world, name) ?? TERMS;
    const registration = { name, incarnation, terms, leaseMs: leaseOf(leaseUnits), facts: "{}" };
    await this.do({ do: "register", registration });
  }

  /** The node takes and ends whatever it can. */
  async endAll(node: NodeName): Promise<void> {
    const { exhausted, unplaced } = (await this.do({ do: "sweep", node, maxDeaths: MAX_DEATHS })) as Swept;
    const failed = exhausted.map(
      ({ id, attempt }) => ({ id, attempt, next: "failed", outcome: bytes("") }) as const,
    );
    await this.do({ do: "finish", node, rows: failed });
    await this.do({
      do: "place",
      node,
      rows: unplaced.map(({ id }) => ({ id, offers: ANYONE, placement: "last" })),
    });
    await this.do({ do: "claim", request: { node, queues: QUEUES, count: 100, takesData: true } });
    const running = [...this.#world.jobs].filter(
      ([, { place, node: on }]) => place.at === "node" && on === node,
    );
    const rows = running.map(
      ([id, { attempt }]) => ({ id, attempt, next: "succeeded", outcome: bytes("") }) as const,
    );
    await this.do({ do: "finish", node, rows });
  }

  do(call: Call): Promise<unknown> {
    this.#log.push(call);
    return this.#withLog(() => this.#compare(call));
  }

  expectEmpty(): Promise<void> {
    return this.#withLog(async () => expect(await this.#subject.left()).toEqual([]));
  }

  async #withLog<Result>(body: () => Promise<Result>): Promise<Result> {
    try {
      return await body();
    } catch (error) {
      if (error instanceof Error)
        error.message += `\n\nWhat had happened:\n${this.#log.map(shownCall).join("\n")}\n`;
      throw error;
    }
  }

  async #compare(call: Call): Promise<unknown> {
    const { world, reply: expected, sent } = perform(this.#world, call);
    this.#world = world;
    const reply = await this.#done(call);
    const heard = await this.#subject.heard();
    const now = await seen(this.#subject.storeOf(callerOf(call) ?? NODES[0]!), IDS, NODES);
    const shouldHear = new Map([...heard.keys()].map((node) => [node, heardBy(node, sent)]));
    this.#expectSame(
      { reply, heard, now },
      { reply: expected, heard: shouldHear, now: see(world, IDS, NODES) },
    );
    this.ledger.note(call, reply, heard, now);
    this.#nodes.hear(call, reply);
    return reply;
  }

  async #done(call: Call): Promise<unknown> {
    if (call.do === "pass") return this.#subject.pass(call.ms);
    return ask(this.#subject.storeOf(callerOf(call)!), call);
  }

  #expectSame(actual: object, expected: object): void {
    const { isExact } = this.#subject;
    const [is, should] = [comparable(actual, isExact), comparable(expected, isExact)];
    // Which is dear, and seldom needed.
    if (!isDeepStrictEqual(is, should)) expect(is).toEqual(should);
  }
}
