import { messageOf } from "../../core/errors.ts";
import type { NodeName } from "../../core/ids.ts";
import type { DataRecord } from "../../store/catalog.ts";
import type { NodeFacts } from "../facts.ts";
import { type Peers, saidError } from "./peers.ts";
import type { Replicas } from "./replicas.ts";

/** A node that says nothing for so long is taken to be away. One that has to hash its file says that it lives. */
const IDLE_MS = 5_000;

export interface HoldersOptions {
  readonly node: NodeName;
  readonly peers: Peers;
  readonly replicas: Pick<Replicas, "look">;
}

/** Of the nodes that live, those that the catalog lists with data. */
export interface Holders {
  /** They have looked at their files just now. */
  readonly sound: readonly NodeName[];
  /** Nobody knows. */
  readonly silent: readonly { readonly node: NodeName; readonly reason: string }[];
}

/**
 * Has all nodes that are listed with the data look whether they have it, at the same time. Those that have not leave the
 * catalog: anybody can remove a file from a disk.
 */
export async function askHolders(
  record: DataRecord,
  living: readonly NodeFacts[],
  options: HoldersOptions,
): Promise<Holders> {
  const sound: NodeName[] = [];
  const silent: { node: NodeName; reason: string }[] = [];
  const listed = living.filter(({ name }) => record.replicas.includes(name));
  const looks = await Promise.allSettled(listed.map((holder) => sha256At(holder, record, options)));
  for (const [at, { name }] of listed.entries()) {
    const look = looks[at];
    if (look?.status === "rejected") silent.push({ node: name, reason: messageOf(look.reason) });
    else if (look?.value === record.sha256) sound.push(name);
  }
  return { sound, silent };
}

/** Of the file that a node has; `null` where it has none. */
async function sha256At(
  holder: NodeFacts,
  { url }: DataRecord,
  { node, peers, replicas }: HoldersOptions,
): Promise<unknown> {
  if (holder.name === node) return (await replicas.look(url))?.sha256 ?? null;
  const asked = { method: "POST", path: "/v1/looks", body: { url }, idleMs: IDLE_MS } as const;
  let sha256: unknown;
  for await (const line of peers.lines(holder, asked)) {
    const said: Readonly<Record<string, unknown>> = { ...(line as object) };
    if (said["error"] !== undefined) throw saidError(said["error"]);
    sha256 = said["sha256"] ?? sha256;
  }
  return sha256 ?? null;
}
