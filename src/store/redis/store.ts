import { randomBytes } from "node:crypto";
import { KitchenError } from "../../core/errors.ts";
import type { JobId, NodeName, UnitHash } from "../../core/ids.ts";
import type { FinalState } from "../../core/job-states.ts";
import type { StoreDiagnosis, Waiting } from "../inspection.ts";
import { cutNotice, fullNotice, markCut } from "../output-limit.ts";
import type { NodeRecord, NodeRegistration, RegisterReply } from "../membership.ts";
import type {
  CancelReply,
  ClaimReply,
  ClaimRequest,
  Expiring,
  ExpiryRow,
  FinishReply,
  FinishRow,
  JobFacts,
  JobRecord,
  OutputPiece,
  OutputRow,
  PlacementRow,
  ProgressRow,
  ReleaseRow,
  RunningJob,
  Store,
  StoreEvent,
  StoreOptions,
  StreamingRow,
  SubmitBatch,
  SubmitReply,
  Swept,
} from "../port.ts";
import type { RedisAddress } from "./address.ts";
import { RedisCatalog } from "./catalog.ts";
import { connect } from "./connect.ts";
import type { Connection } from "./connection.ts";
import { diagnosisOf } from "./diagnosis.ts";
import { parsePiece } from "./events.ts";
import { commandFailed } from "./failures.ts";
import { extrasOf, hasTwins, packJobs } from "./new-jobs.ts";
import { offersOr0, offersText } from "./offers.ts";
import { pack } from "./pack.ts";
import { givenBackText } from "./past-deaths.ts";
import { inParts } from "./parts.ts";
import { progressWord } from "./progress-word.ts";
import {
  bytes,
  list,
  parseCancelReply,
  parseClaimReply,
  parseExpiring,
  parseFacts,
  parseFinishReply,
  parseIds,
  parseNodes,
  parseNow,
  parseRecord,
  parseRegisterReply,
  parseRunning,
  parseSubmitReply,
  parseSwept,
  parseUnitSizes,
  parseWaiting,
  text,
} from "./replies.ts";
import type { Argument, ScriptName } from "./scripts.ts";
import { readServerInfos, type ServerInfo } from "./server-info.ts";
import { Subscription } from "./subscription.ts";

const CONNECT_TIMEOUT_MS = 3_000;
/** How `lua/shared/records.lua` writes them. */
const FINAL_LETTERS: Readonly<Record<FinalState, string>> = { succeeded: "s", failed: "f", cancelled: "c" };
/** Reads and cancels of more ids than this go in several scripts, so that Redis serves others in between. */
const IDS_A_SCRIPT = 500;

export interface RedisStoreOptions extends StoreOptions {
  readonly address: RedisAddress;
  readonly connectTimeoutMs?: number;
}

/**
 * Opens the store in a Redis or Valkey.
 *
 * @throws KitchenError `KS_UNAVAILABLE` when none answers there, or one that is too old
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<Store> {
  const { address, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const connection = await connect(address, connectTimeoutMs);
  try {
    const info = readServerInfos(await connection.infos(), address);
    return new RedisStore(connection, info, options);
  } catch (error) {
    connection.close();
    throw commandFailed(address, error);
  }
}

class RedisStore extends RedisCatalog implements Store {
  readonly kind = "redis";
  readonly description: string;
  readonly warnings: readonly string[];
  readonly #options: RedisStoreOptions;
  readonly #connection: Connection;
  readonly #prefix: string;
  /** Channels are the same in all databases of a server; keys are not. */
  readonly #channels: string;
  /** Makes its claims' tokens different from those of other processes. */
  readonly #name = randomBytes(6).toString("base64url");
  readonly #cutNotice: Buffer;
  readonly #fullNotice = Buffer.from(fullNotice());
  #subscription: Subscription | undefined;
  #claims = 0;
  /** Claims whose replies were given up on; the next claim gives back what they took. */
  #abandoned: string[] = [];
  /** Claims whose replies arrived; the next claim lets the store forget them. */
  #received: string[] = [];
  #isClosed = false;

  constructor(connection: Connection, info: ServerInfo, options: RedisStoreOptions) {
    super();
    this.#connection = connection;
    this.#options = options;
    this.#prefix = `{ks:${options.cluster}}:`;
    this.#channels = `${this.#prefix}${options.address.db}:`;
    this.#cutNotice = Buffer.from(cutNotice(options.outputLimitBytes));
    this.description = `${info.product} at ${options.address.shown}`;
    this.warnings = info.warnings;
  }

  async submit({ watcher, jobs, units, needs }: SubmitBatch): Promise<SubmitReply> {
    const extras = jobs.flatMap(extrasOf);
    const reply = await this.run("submit", [
      this.#channels,
      watcher,
      this.#options.unitTtlMs,
      packJobs(jobs),
      pack([...units].flat()),
      pack(needs),
      extras.length === 0 ? "" : pack(extras),
      this.#options.resultTtlMs,
      hasTwins(jobs) ? 1 : 0,
      this.#options.queueLimit,
    ]);
    return parseSubmitReply(reply, jobs.length);
  }

  async claim(request: ClaimRequest): Promise<ClaimReply> {
    const { resends } = this.#connection.scripts;
    const reply = await this.#claim(request);
    // A submit that this claim was sent behind may have run after it.
    const isBehind = this.#connection.scripts.resends !== resends;
    return isBehind && reply.type === "claimed" && reply.jobs.length === 0
      ? await this.#claim(request)
      : reply;
  }

  async #claim({ node, queues, count, takesData }: ClaimRequest): Promise<ClaimReply> {
    this.#claims += 1;
    const token = `${this.#name}${this.#claims}`;
    const abandoned = this.#abandoned;
    const received = this.#received;
    this.#abandoned = [];
    this.#received = [];
    try {
      const reply = await this.run("claim", [
        this.#channels,
        node,
        count,
        queues.join("\n"),
        token,
        abandoned.join("\n"),
        this.#options.resultTtlMs,
        received.join("\n"),
        takesData ? 1 : 0,
      ]);
      this.#received.push(token);
      return parseClaimReply(reply);
    } catch (error) {
      this.#abandoned.push(...abandoned, token);
      throw error;
    }
  }

  async finish(node: NodeName, rows: readonly FinishRow[]): Promise<FinishReply[]> {
    const flat = [];
    for (const row of rows)
      if (row.next === "queued") flat.push(row.id, `${row.attempt}`, "q", givenBackText(row));
      else flat.push(row.id, `${row.attempt}`, FINAL_LETTERS[row.next], row.outcome);
    const args = [this.#channels, node, this.#options.resultTtlMs, pack(flat)];
    return parseFinishReply(await this.run("finish", args), rows.length);
  }

  async cancel(ids: readonly JobId[], outcome: Uint8Array): Promise<CancelReply[]> {
    const { resultTtlMs } = this.#options;
    return inParts(ids, IDS_A_SCRIPT, async (part) =>
      parseCancelReply(
        await this.run("cancel", [this.#channels, resultTtlMs, Buffer.from(outcome), pack(part)]),
      ),
    );
  }

  async appendOutput(node: NodeName, rows: readonly OutputRow[]): Promise<void> {
    const flat = [];
    for (const { id, piece } of rows)
      flat.push(id, piece.attempt, piece.index, piece.stream, Math.round(piece.atMs), piece.bytes);
    const limit = this.#options.outputLimitBytes;
    await this.run("append", [this.#channels, node, limit, this.#cutNotice, pack(flat), this.#fullNotice]);
  }

  async markStreaming(node: NodeName, rows: readonly StreamingRow[]): Promise<void> {
    await this.run("stream", [this.#channels, node, pack(rows.flatMap(({ id, attempt }) => [id, attempt]))]);
  }

  async reportProgress(node: NodeName, rows: readonly ProgressRow[]): Promise<void> {
    const flat = rows.flatMap(({ id, attempt, progress }) => [id, attempt, progressWord(progress)]);
    await this.run("progress", [this.#channels, node, pack(flat)]);
  }

  async readOutput(id: JobId, from: number): Promise<OutputPiece[]> {
    const key = `${this.#prefix}out:${id}`;
    const pieces = await this.#ask(() => this.#connection.readList(key, from));
    return markCut(pieces.map(parsePiece));
  }

  read(ids: readonly JobId[]): Promise<(JobRecord | undefined)[]> {
    return this.#read(ids, "");
  }

  watch(ids: readonly JobId[], node: NodeName): Promise<(JobRecord | undefined)[]> {
    return this.#read(ids, node);
  }

  #read(ids: readonly JobId[], watcher: string): Promise<(JobRecord | undefined)[]> {
    return inParts(ids, IDS_A_SCRIPT, async (part) => {
      const rows = list(await this.run("read", [watcher, pack(part), 1]));
      return part.map((id, at) => parseRecord(id, rows[at]));
    });
  }

  look(ids: readonly JobId[]): Promise<(JobFacts | undefined)[]> {
    return inParts(ids, IDS_A_SCRIPT, async (part) => {
      const rows = list(await this.run("read", ["", pack(part), 0]));
      return part.map((id, at) => parseFacts(id, rows[at]));
    });
  }

  async someActive(most: number): Promise<JobId[]> {
    return parseIds(await this.run("some-active", [most]));
  }

  async activeJobs(): Promise<JobId[]> {
    return parseIds(await this.run("active", []));
  }

  async runningJobs(node: NodeName): Promise<RunningJob[]> {
    return parseRunning(await this.run("running", [node]));
  }

  async units(hashes: readonly UnitHash[]): Promise<(Uint8Array | undefined)[]> {
    const reply = await this.run("units", [this.#options.unitTtlMs, pack(hashes)]);
    return list(reply).map((unit) => (unit === null ? undefined : bytes(unit)));
  }

  async spec(id: JobId): Promise<Uint8Array | undefined> {
    const reply = await this.run("spec", [id]);
    return reply === null ? undefined : bytes(reply);
  }

  async unitSizes(hashes: readonly UnitHash[]): Promise<(number | undefined)[]> {
    return parseUnitSizes(await this.run("unit-sizes", [pack(hashes)]));
  }

  async register(node: NodeRegistration): Promise<RegisterReply> {
    return parseRegisterReply(await this.#registerAs("register", node));
  }

  async heartbeat(node: NodeRegistration): Promise<"renewed" | "lapsed"> {
    return text(await this.#registerAs("heartbeat", node)) === "renewed" ? "renewed" : "lapsed";
  }

  #registerAs(kind: "register" | "heartbeat", node: NodeRegistration): Promise<unknown> {
    const { name, incarnation, leaseMs, facts } = node;
    const terms = `${node.terms.protocol} ${node.terms.token}`;
    const { resultTtlMs } = this.#options;
    return this.run("register", [
      this.#channels,
      name,
      incarnation,
      leaseMs,
      facts,
      resultTtlMs,
      kind,
      terms,
    ]);
  }

  async leave(node: NodeName): Promise<void> {
    await this.run("leave", [this.#channels, node, this.#options.resultTtlMs]);
  }

  async nodes(): Promise<NodeRecord[]> {
    return parseNodes(await this.run("nodes", []));
  }

  async now(): Promise<number> {
    return parseNow(await this.run("now", []));
  }

  get trips(): number {
    return this.#connection.scripts.trips;
  }

  async waiting(): Promise<Waiting> {
    return parseWaiting(await this.run("waiting", []));
  }

  async diagnose(): Promise<StoreDiagnosis> {
    const reports = await this.#ask(() => this.#connection.reports());
    return { kind: this.#options.address.kind, servers: reports.map(diagnosisOf) };
  }

  async place(rows: readonly PlacementRow[]): Promise<void> {
    const flat = rows.flatMap(({ id, offers, placement, refusal }) => [
      id,
      offersText(offers),
      placement,
      refusal ?? 0,
    ]);
    await this.run("place", [this.#channels, this.#options.resultTtlMs, pack(flat)]);
  }

  async release(rows: readonly ReleaseRow[]): Promise<void> {
    const flat = rows.flatMap((row) =>
      row.next === "queued"
        ? [row.id, offersOr0(row.offers), row.inputs.join("\n"), row.placement ?? 0, 0, 0]
        : [row.id, 0, "", 0, FINAL_LETTERS[row.next], row.outcome],
    );
    await this.run("release", [this.#channels, this.#options.resultTtlMs, pack(flat)]);
  }

  async sweep(node: NodeName, maxDeaths: number): Promise<Swept> {
    return parseSwept(await this.run("sweep", [this.#channels, node, maxDeaths, this.#options.resultTtlMs]));
  }

  async expire(rows: readonly ExpiryRow[]): Promise<Expiring> {
    const flat = rows.flatMap(({ id, outcome }) => [id, outcome]);
    return parseExpiring(await this.run("expire", [this.#channels, this.#options.resultTtlMs, pack(flat)]));
  }

  async subscribe(node: NodeName, onEvent: (event: StoreEvent) => void): Promise<void> {
    if (this.#isClosed) throw new KitchenError("KS_UNAVAILABLE", "The store is closed");
    if (this.#subscription !== undefined)
      throw new KitchenError(
        "KS_INTERNAL",
        "Cannot subscribe: this store delivers to one node, and does already",
      );
    this.#subscription = new Subscription({
      events: `${this.#channels}events:${node}`,
      wakes: `${this.#channels}wake`,
      node,
      onEvent,
    });
    try {
      await this.#subscription.start(await this.#connection.openSubscriber(this.#prefix));
    } catch (error) {
      this.#subscription = undefined;
      throw commandFailed(this.#options.address, error);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#subscription?.close();
    this.#connection.close();
  }

  protected run(script: ScriptName, args: readonly Argument[]): Promise<unknown> {
    return this.#ask(() => this.#connection.scripts.run(script, this.#prefix, args));
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new KitchenError("KS_UNAVAILABLE", "The store is closed");
    try {
      const whenReady = this.#connection.whenReady();
      if (whenReady !== undefined) await whenReady;
      return await question();
    } catch (error) {
      throw commandFailed(this.#options.address, error);
    }
  }
}
