import { type DataFacts, parseDataType, parseSha256 } from "../../core/data.ts";
import type { DataUrl } from "../../core/data-url.ts";
import type { NodeName } from "../../core/ids.ts";
import type {
  Catalog,
  CopyReply,
  DataRange,
  DataRecord,
  Drop,
  NewReplica,
  ReplicaReply,
} from "../catalog.ts";
import { pack } from "./pack.ts";
import { inParts } from "./parts.ts";
import { list, text, texts, unexpected } from "./replies.ts";
import type { Argument, ScriptName } from "./scripts.ts";

/** A script of this many rows keeps Redis from others for some 5 ms. */
const ROWS_A_SCRIPT = 500;
const REPLICA_REPLIES = ["added", "known", "exists"] as const satisfies ReplicaReply[];
const COPY_REPLIES = [...REPLICA_REPLIES, "gone"] as const satisfies CopyReply[];

/** The catalog of the store in a Redis. */
export abstract class RedisCatalog implements Catalog {
  /** Runs a script of `lua/` on the keys of this cluster. */
  protected abstract run(script: ScriptName, args: readonly Argument[]): Promise<unknown>;

  addReplicas(node: NodeName, rows: readonly NewReplica[]): Promise<ReplicaReply[]> {
    return this.#add(node, rows, "", REPLICA_REPLIES);
  }

  addCopies(node: NodeName, rows: readonly NewReplica[]): Promise<CopyReply[]> {
    return this.#add(node, rows, "copies", COPY_REPLIES);
  }

  async setReplicas(node: NodeName, rows: readonly NewReplica[]): Promise<CopyReply[]> {
    // What was there before is read first, so that what others add meanwhile stays; and it is removed last, so that
    // no row which stays is ever gone.
    const before = new Set(await this.dataOf(node));
    const replies = await this.#add(node, rows, "own", COPY_REPLIES);
    for (const [at, { url }] of rows.entries())
      if (replies[at] === "added" || replies[at] === "known") before.delete(url);
    await this.removeReplicas(node, [...before]);
    return replies;
  }

  async removeReplicas(node: NodeName, urls: readonly DataUrl[]): Promise<void> {
    await inParts(urls, ROWS_A_SCRIPT, async (part) => {
      await this.run("remove-replicas", [node, pack(part)]);
      return [];
    });
  }

  findData(urls: readonly DataUrl[]): Promise<(DataRecord | undefined)[]> {
    return inParts(urls, ROWS_A_SCRIPT, async (part) => {
      const rows = list(await this.run("find-data", [pack(part)]));
      return part.map((url, at) => parseEntry(url, rows[at]));
    });
  }

  lostData(urls: readonly DataUrl[]): Promise<boolean[]> {
    return inParts(urls, ROWS_A_SCRIPT, async (part) =>
      texts(await this.run("lost-data", [pack(part)])).map((word) => word === "lost"),
    );
  }

  async listData({ prefix, after, limit }: DataRange): Promise<DataUrl[]> {
    return texts(await this.run("list-data", [prefix, after, limit])) as DataUrl[];
  }

  deleteData(urls: readonly DataUrl[], node?: NodeName): Promise<NodeName[][]> {
    return inParts(urls, ROWS_A_SCRIPT, async (part) => {
      const rows = list(await this.run("delete-data", [node ?? "", pack(part)]));
      return rows.map((names) => texts(names) as NodeName[]);
    });
  }

  async drops(node: NodeName): Promise<Drop[]> {
    const flat = texts(await this.run("drops", [node]));
    return inPairs(flat).map(([url, sha256]) => ({ url: url as DataUrl, sha256: parseSha256(sha256) }));
  }

  async dropped(node: NodeName, drops: readonly Drop[]): Promise<void> {
    await inParts(drops, ROWS_A_SCRIPT, async (part) => {
      await this.run("dropped", [node, pack(part.flatMap(({ url, sha256 }) => [url, sha256]))]);
      return [];
    });
  }

  async dataOf(node: NodeName): Promise<DataUrl[]> {
    const urls = new Set<DataUrl>();
    let cursor = "0";
    do {
      const [next, found] = list(await this.run("data-of", [node, cursor, ROWS_A_SCRIPT]));
      cursor = text(next);
      for (const url of texts(found)) urls.add(url as DataUrl);
    } while (cursor !== "0");
    return [...urls];
  }

  #add<Reply extends string>(
    node: NodeName,
    rows: readonly NewReplica[],
    kind: "copies" | "own" | "",
    replies: readonly Reply[],
  ): Promise<Reply[]> {
    return inParts(rows, ROWS_A_SCRIPT, async (part) => {
      const flat = part.flatMap((row) => [row.url, factsText(row), createdText(row)]);
      const words = texts(await this.run("add-replicas", [node, pack(flat), kind]));
      return words.map((word) => replies.find((reply) => reply === word) ?? unknownReply(word));
    });
  }
}

function unknownReply(word: string): never {
  throw unexpected(word);
}

/** One text, so that a script can compare all facts at once. */
function factsText({ size, sha256, type, codec }: DataFacts): string {
  const head = `${size} ${sha256} ${type}`;
  return codec === null ? head : `${head} =${codec}`;
}

const FACTS = /^(\d+) ([0-9a-f]{64}) (object|file)(?: =(.*))?$/s;

function parseFacts(url: DataUrl, facts: string): DataFacts {
  const [, size, sha256, type, codec] = FACTS.exec(facts) ?? [];
  if (size === undefined) throw unexpected(facts);
  return {
    url,
    size: Number(size),
    sha256: parseSha256(sha256),
    type: parseDataType(type),
    codec: codec ?? null,
  };
}

function createdText({ createdAtMs }: NewReplica): string {
  return createdAtMs === undefined ? "" : String(Math.round(createdAtMs));
}

function parseEntry(url: DataUrl, hash: unknown): DataRecord | undefined {
  const fields = new Map(inPairs(texts(hash)));
  const facts = fields.get("facts");
  if (facts === undefined) return undefined;
  const replicas = [...fields.keys()].filter((field) => field.startsWith("@"));
  return {
    ...parseFacts(url, facts),
    createdAtMs: Number(fields.get("created")),
    replicas: replicas.map((field) => field.slice(1) as NodeName),
  };
}

function inPairs(flat: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < flat.length; at += 2) pairs.push([flat[at] ?? "", flat[at + 1] ?? ""]);
  return pairs;
}
