/** Lets calls happen to a store and to the model at once, and compares the two after every one. */
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { NodeName } from "../../../src/core/ids.ts";
import type { Store, StoreEvent } from "../../../src/store/port.ts";
import { TERMS } from "../support/harness.ts";
import { ask, type Call, callerOf, heardBy, perform, see, seen } from "./calls.ts";
import { comparable, shownCall } from "./compare.ts";
import { Ledger } from "./ledger.ts";
import { Nodes } from "./nodes.ts";
import { emptyWorld, type Job, termsOfOthers, type World } from "./state.ts";
import { IDS, leaseOf, NODES, SETTINGS, type Step } from "./steps.ts";

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

export class History {
  readonly #subject: Subject;
  readonly #ledger = new Ledger();
  readonly #nodes = new Nodes();
  readonly #calls: Call[] = [];
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

  jobsOn(name: NodeName): Job[] {
    return [...this.#world.jobs.values()].filter(({ place, node }) => place.at === "node" && node === name);
  }

  do(call: Call): Promise<unknown> {
    this.#calls.push(call);
    return this.#telling(() => this.#compare(call));
  }

  expectEnds(): Promise<void> {
    return this.#telling(async () => expect(this.#ledger.unfinished).toEqual([]));
  }

  expectEmpty(): Promise<void> {
    return this.#telling(async () => expect(await this.#subject.left()).toEqual([]));
  }

  /** Whatever fails tells what had happened. */
  async #telling<Result>(body: () => Promise<Result>): Promise<Result> {
    try {
      return await body();
    } catch (error) {
      const calls = this.#calls.map(shownCall).join("\n");
      if (error instanceof Error) error.message += `\n\nWhat had happened:\n${calls}\n`;
      throw error;
    }
  }

  async #compare(call: Call): Promise<unknown> {
    const { world, reply: shouldReply, sent } = perform(this.#world, call);
    this.#world = world;
    const reply = await this.#done(call);
    const heard = await this.#subject.heard();
    const now = await seen(this.#subject.storeOf(callerOf(call) ?? NODES[0]!), IDS, NODES);
    const shouldHear = new Map([...heard.keys()].map((node) => [node, heardBy(node, sent)]));
    const should = { reply: shouldReply, heard: shouldHear, now: see(world, IDS, NODES) };
    this.#expectSame({ reply, heard, now }, should);
    this.#ledger.note(call, reply, heard, now);
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
    // Which takes long, and is seldom needed.
    if (!isDeepStrictEqual(is, should)) expect(is).toEqual(should);
  }
}
