/** What the nodes know, and so what they say: steps become calls here. */
import { type AttemptEnd, decideNext } from "../../../src/core/attempt.ts";
import { type JobId, type NodeName, parseJobId } from "../../../src/core/ids.ts";
import type { NodeRegistration } from "../../../src/store/membership.ts";
import type { ClaimReply, FinishRow, ReleaseRow, Swept } from "../../../src/store/port.ts";
import { bytes, TERMS } from "../support/harness.ts";
import type { Call } from "./calls.ts";
import type { World } from "./state.ts";
import { type FinishPlan, MAX_DEATHS, leaseOf, NODES, type Step } from "./steps.ts";

/** An attempt that a node was given, whether it still runs or not. */
export interface Attempt {
  readonly node: NodeName;
  readonly id: JobId;
  readonly attempt: number;
  readonly deaths: number;
  readonly throws: number;
}

const NOBODYS = parseJobId("ffffffff-ffff-7fff-8fff-ffffffffffff");
const STRANGE = { token: "other", protocol: 9 };
/** What a heartbeat asks for that comes before time passes. */
const BEATING_MS = leaseOf(4);

export class Nodes {
  readonly #given: Attempt[] = [];
  readonly #lastFinish = new Map<NodeName, readonly FinishRow[]>();
  readonly #streamed = new Set<string>();

  /** The calls that make up a step. */
  callsFor(step: Step, world: World): Call[] {
    switch (step.do) {
      case "finish":
        return [this.#finish(step.node, step.plans, world)];
      case "finish again":
        return [{ do: "finish", node: step.node, rows: this.#lastFinish.get(step.node) ?? [] }];
      case "cancel":
        return [{ ...step, do: "cancel", outcome: bytes(`as ${step.node} asked`) }];
      case "expire":
        return [{ ...step, do: "expire", rows: step.ids.map((id) => ({ id, outcome: bytes("too late") })) }];
      case "watch":
        return [{ ...step, do: "watch" }];
      case "release":
        return [{ ...step, rows: step.rows.map((row) => asTheQueueAllows(row, world)) }];
      case "stream":
        return this.#picked(step.node, step.pick, world).map((given) => {
          this.#streamed.add(`${given.id} ${given.attempt}`);
          return { do: "stream", node: step.node, rows: [given] };
        });
      case "progress":
        return this.#picked(step.node, step.pick, world).map(({ id, attempt }) => {
          const progress = { done: step.done, total: step.done === 0 ? null : 3, label: "röws to do" };
          return { do: "progress", node: step.node, rows: [{ id, attempt, progress }] };
        });
      case "output":
        return this.#picked(step.node, step.pick, world).map(({ id, attempt }) => {
          const piece = {
            attempt,
            index: step.index,
            stream: "stdout",
            bytes: bytes("hello"),
            atMs: 1,
          } as const;
          return { do: "output", node: step.node, rows: [{ id, piece }] };
        });
      case "register":
      case "heartbeat":
        return [{ do: step.do, registration: registrationOf(step, world) }];
      case "pass":
        return [...step.beating.map((node) => beatOf(node, world)), { do: "pass", ms: step.ms }];
      default:
        return [step];
    }
  }

  /** Hears what the store answered to one of them. */
  hear(call: Call, reply: unknown): void {
    if (call.do === "claim") {
      const { node } = call.request;
      const claimed = reply as ClaimReply;
      if (claimed.type === "claimed") this.#given.push(...claimed.jobs.map((job) => ({ ...job, node })));
    }
    if (call.do === "sweep")
      for (const { id, attempt, deaths } of (reply as Swept).exhausted)
        this.#given.push({ node: call.node, id, attempt, deaths, throws: 0 });
  }

  #finish(node: NodeName, plans: readonly FinishPlan[], world: World): Call {
    const rows = plans.flatMap((plan) => this.#rowFor(node, plan, world));
    this.#lastFinish.set(node, rows);
    return { do: "finish", node, rows };
  }

  #rowFor(node: NodeName, plan: FinishPlan, world: World): FinishRow[] {
    const of = plan.amiss === "node" ? NODES[(NODES.indexOf(node) + 1) % NODES.length]! : node;
    return this.#picked(of, plan.pick, world).map((given) => {
      const { deaths, throws } = given;
      const hasStreamed = this.#streamed.has(`${given.id} ${given.attempt}`);
      const isIdempotent = world.jobs.get(given.id)?.given.isAtMostOnce !== true;
      const { retries, retryDelayMs } = plan;
      const terms = { retries, retryDelayMs, maxDeaths: MAX_DEATHS, isIdempotent };
      const counts = { deaths, throws, hasStreamed, ...terms };
      const id = plan.amiss === "job" ? NOBODYS : given.id;
      const attempt = given.attempt + (plan.amiss === "attempt" ? 100 : 0);
      return { id, attempt, ...decideNext(endOf(plan), counts) };
    });
  }

  /** One of the attempts that the node was given, those first that run there: none when there was none. */
  #picked(node: NodeName, pick: number, world: World): Attempt[] {
    const own = this.#given.filter((given) => given.node === node).toReversed();
    const runs = ({ id, attempt }: Attempt): boolean => {
      const job = world.jobs.get(id);
      return job?.place.at === "node" && job.node === node && job.attempt === attempt;
    };
    const all = [...own.filter(runs), ...own.filter((given) => !runs(given))];
    return all.length === 0 ? [] : [all[pick % all.length]!];
  }
}

/** Jobs for one node are offered to nobody. */
function asTheQueueAllows(row: ReleaseRow, world: World): ReleaseRow {
  const isForOne = world.jobs.get(row.id)?.given.queue.includes("|") === true;
  return row.next === "queued" && isForOne ? { id: row.id, next: "queued", inputs: row.inputs } : row;
}

function endOf({ end, isDeliberate, outcome: text }: FinishPlan): AttemptEnd {
  const outcome = bytes(text);
  switch (end) {
    case "stopped":
      return { type: end, state: isDeliberate ? "failed" : "cancelled", outcome };
    case "died":
      return { type: end, outcome, isDeliberate, ...(text === "no" ? {} : { note: `${text}, ünïcode` }) };
    case "not-begun":
      return { type: end };
    default:
      return { type: end, outcome };
  }
}

function registrationOf(
  { do: what, node, leaseMs, as }: Step & { do: "register" | "heartbeat" },
  world: World,
): NodeRegistration {
  const holder = world.leases.get(node)?.registration.incarnation ?? "a";
  const incarnation = as === "another" ? `${holder}+` : holder;
  const terms = what === "register" && as === "stranger" ? STRANGE : TERMS;
  return { name: node, incarnation, terms, leaseMs, facts: `{"leaseMs":${leaseMs}}` };
}

function beatOf(node: NodeName, world: World): Call {
  const registration = registrationOf({ do: "heartbeat", node, leaseMs: BEATING_MS, as: "itself" }, world);
  return { do: "heartbeat", registration };
}
