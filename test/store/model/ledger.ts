/**
 * What must hold of any store, whatever the model says: kept from the calls, the replies and what is seen from outside alone.
 */
import { isContentId, type JobId, type NodeName } from "../../../src/core/ids.ts";
import { canMove, isFinal } from "../../../src/core/job-states.ts";
import type {
  ClaimReply,
  FinishReply,
  JobRecord,
  StoreEvent,
  SubmitReply,
  Swept,
} from "../../../src/store/port.ts";
import { shown } from "../support/harness.ts";
import type { Call, Seen } from "./calls.ts";

/** One job from its submission until it expires. */
interface Life {
  last: JobRecord | undefined;
  readonly watchers: Set<NodeName>;
  readonly heard: NodeName[];
  /** Attempts that nodes were given, in their order. */
  readonly attempts: number[];
  /** The node that said how it ended. */
  saidBy: NodeName | undefined;
  committed: string | undefined;
}

export class Ledger {
  readonly #lives = new Map<JobId, Life>();

  /** Notes one call. Throws when something has happened that must not. */
  note(call: Call, reply: unknown, heard: ReadonlyMap<NodeName, readonly StoreEvent[]>, seen: Seen): void {
    if (call.do === "submit") this.#submitted(call, reply as SubmitReply);
    if (call.do === "watch") this.#watched(call.node, call.ids);
    if (call.do === "claim") this.#claimed(call.request.node, reply as ClaimReply);
    if (call.do === "sweep") this.#handed(call.node, reply as Swept);
    if (call.do === "finish") this.#finished(call, reply as FinishReply[]);
    for (const [node, events] of heard) for (const event of events) this.#heard(node, event);
    for (const record of seen.records) if (record !== undefined) this.#seen(record, call, heard);
    const there = new Set(seen.records.map((record) => record?.id));
    for (const [id, life] of this.#lives) if (!there.has(id)) this.#expired(id, life);
  }

  /** Jobs that were submitted and have not ended. */
  get unfinished(): JobId[] {
    const lives = [...this.#lives].filter(([, { last }]) => last === undefined || !isFinal(last.state));
    return lives.map(([id]) => id);
  }

  #submitted({ batch }: Call & { do: "submit" }, reply: SubmitReply): void {
    if (reply.type !== "queued") return;
    for (const [at, row] of reply.rows.entries()) {
      const { id, refusal } = batch.jobs[at]!;
      if (row === "known") this.#watched(batch.watcher, [id]);
      else {
        const last = this.#lives.get(id)?.last;
        const isInVain = isContentId(id) && (last?.state === "failed" || last?.state === "cancelled");
        if (isInVain) this.#lives.delete(id);
        must(!this.#lives.has(id), `${id} was queued though it is known`);
        const watchers = new Set(refusal === undefined ? [batch.watcher] : []);
        const fresh = { last: undefined, watchers, heard: [], attempts: [] };
        this.#lives.set(id, { ...fresh, saidBy: undefined, committed: undefined });
      }
    }
  }

  #watched(node: NodeName, ids: readonly JobId[]): void {
    for (const id of ids) {
      const life = this.#lives.get(id);
      if (life?.last !== undefined && !isFinal(life.last.state)) life.watchers.add(node);
    }
  }

  #claimed(node: NodeName, reply: ClaimReply): void {
    if (reply.type !== "claimed") return;
    for (const { id, attempt } of reply.jobs) {
      const life = this.#lives.get(id);
      must(life?.last?.state === "queued", `${node} claimed ${id}, which was not queued`);
      must((life!.attempts.at(-1) ?? 0) < attempt, `attempt ${attempt} of ${id} was given twice`);
      life!.attempts.push(attempt);
    }
  }

  #handed(node: NodeName, { exhausted }: Swept): void {
    for (const { id, attempt } of exhausted) {
      const life = this.#lives.get(id)!;
      const isListedAgain = life.attempts.at(-1) === attempt;
      must(!isListedAgain || life.last?.node === node, `the exhausted ${id} was handed to ${node} as well`);
      if (!isListedAgain) life.attempts.push(attempt);
    }
  }

  #finished({ node, rows }: Call & { do: "finish" }, replies: readonly FinishReply[]): void {
    for (const [at, { id, attempt, next }] of rows.entries()) {
      const reply = replies[at]!;
      const life = this.#lives.get(id);
      if (reply === "fenced" || life === undefined || (next === "queued" && reply === "committed")) continue;
      const committed = `${node} ${attempt} ${typeof reply === "string" ? next : "cancelled, as was asked"}`;
      must((life.committed ??= committed) === committed, `${id} has two outcomes: also ${committed}`);
      if (life.last?.state === "running") life.saidBy = node;
    }
  }

  #heard(node: NodeName, event: StoreEvent): void {
    if (event.type !== "finished") return;
    const life = this.#lives.get(event.id);
    must(
      life?.watchers.has(node) === true,
      `${node} heard of the end of ${event.id}, which it does not watch`,
    );
    must(life?.saidBy !== node, `${node} heard of the end of ${event.id} that it brought about`);
    must(life?.heard.includes(node) === false, `${node} heard twice of the end of ${event.id}`);
    life!.heard.push(node);
  }

  #seen(record: JobRecord, call: Call, listeners: ReadonlyMap<NodeName, unknown>): void {
    const life = this.#lives.get(record.id);
    must(life !== undefined, `${record.id} is there and was never queued`);
    const before = life!.last;
    life!.last = record;
    if (before !== undefined) mustFollow(before, record, call);
    if (!isFinal(record.state)) return;
    for (const watcher of life!.watchers) {
      const knows = watcher === life!.saidBy || life!.heard.includes(watcher) || !listeners.has(watcher);
      must(knows, `${watcher} heard nothing of the end of ${record.id}`);
    }
  }

  #expired(id: JobId, { last }: Life): void {
    must(last !== undefined && isFinal(last.state), `${id} is gone and has not ended`);
    this.#lives.delete(id);
  }
}

function mustFollow(before: JobRecord, record: JobRecord, call: Call): void {
  const { id, state, attempt, deaths } = record;
  must(before.state === state || canMove(before.state, state), `${id} went from ${before.state} to ${state}`);
  must(attempt >= before.attempt, `the attempts of ${id} went down to ${attempt}`);
  must(attempt <= before.attempt + 1, `${id} was begun more than once by one call`);
  const mayDie = call.do === "sweep" || call.do === "finish";
  must(deaths === before.deaths || (mayDie && deaths === before.deaths + 1), `${id} has ${deaths} deaths`);
  if (!isFinal(before.state)) return;
  const isSame = shown(record.outcome) === shown(before.outcome) && attempt === before.attempt;
  must(isSame, `${id} was changed after its end`);
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
