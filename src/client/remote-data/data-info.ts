/** What nodes tell of stored data, and the JSON in which they do. */
import { parseDataType, parseSha256, type DataFacts } from "../../core/data.ts";
import { parseDataUrl } from "../../core/data-url.ts";
import { malformed, Reader } from "../reader.ts";

/** One node's copy of data. */
export interface Replica {
  /** Its name. */
  readonly node: string;
  /** The node's address; `null` while it is away. */
  readonly url: string | null;
  /** Whether the node lives, as far as the cluster knows. */
  readonly isAlive: boolean;
}

/** What the catalog tells of saved data. */
export interface DataInfo extends DataFacts {
  /** When it was first saved. */
  readonly createdAt: Date;
  /** The copies; those on living nodes first. */
  readonly replicas: readonly Replica[];
}

/** What came of a `pipeline`. */
export interface PipelineReport {
  /** The data's. */
  readonly url: string;
  /** In bytes. */
  readonly size: number;
  /** Of its bytes, as each copy was checked by. */
  readonly sha256: string;
  /** Nodes that have the data now: `present` had it before, `copied` took it from the node `from` in `ms`. */
  readonly copies: readonly {
    readonly node: string;
    readonly status: "copied" | "present";
    readonly from: string | null;
    readonly ms: number;
  }[];
  /** Nodes that did not take it, and those that are listed with it and gave no sign, each with the reason. */
  readonly failed: readonly { readonly node: string; readonly reason: string }[];
  /** When fewer nodes have it now than `copies` asked for: by how much, and why there are no more. Else `null`. */
  readonly shortfall: {
    readonly wanted: number;
    readonly reached: number;
    readonly reason: string;
  } | null;
}

/** What came of a delete. */
export interface DeleteReport {
  /** Nodes that have dropped their copies. */
  readonly deleted: readonly string[];
  /** Nodes that are away, and drop theirs when they are back. */
  readonly pending: readonly string[];
}

/** What came of taking files into the catalog. */
export interface AdoptReport {
  /** What is in the catalog now. */
  readonly adopted: readonly DataInfo[];
  /** What is not, and why. */
  readonly refused: readonly RefusedFile[];
}

/** A file that was not taken in. */
export interface RefusedFile {
  /** Relative to the data directory. */
  readonly path: string;
  /** Why, in words. */
  readonly reason: string;
}

export function parseDataInfo(value: unknown): DataInfo {
  const info = new Reader(value, "data");
  const replicas = info.rows("replicas", "replica").map((replica) => ({
    node: replica.text("node"),
    url: replica.textOrNull("url"),
    isAlive: replica.boolean("isAlive"),
  }));
  return {
    url: parseDataUrl(info.text("url")),
    size: info.number("size"),
    sha256: parseSha256(info.text("sha256")),
    codec: info.textOrNull("codec"),
    type: parseDataType(info.text("type")),
    createdAt: info.date("createdAt"),
    replicas: replicas.toSorted((a, b) => Number(b.isAlive) - Number(a.isAlive)),
  };
}

export function parsePipelineReport(value: unknown): PipelineReport {
  const report = new Reader(value, "report");
  return {
    url: report.text("url"),
    size: report.number("size"),
    sha256: report.text("sha256"),
    copies: report.rows("copies", "copy").map((copy) => ({
      node: copy.text("node"),
      status: parseStatus(copy.text("status")),
      from: copy.textOrNull("from"),
      ms: copy.number("ms"),
    })),
    failed: report
      .rows("failed", "failed copy")
      .map((copy) => ({ node: copy.text("node"), reason: copy.text("reason") })),
    shortfall: report.has("shortfall") ? parseShortfall(report.object("shortfall")) : null,
  };
}

function parseShortfall(value: unknown): PipelineReport["shortfall"] {
  const shortfall = new Reader(value, "shortfall");
  return {
    wanted: shortfall.number("wanted"),
    reached: shortfall.number("reached"),
    reason: shortfall.text("reason"),
  };
}

function parseStatus(status: string): "copied" | "present" {
  if (status === "copied" || status === "present") return status;
  throw malformed("copy's status");
}

export function parseDeleteReport(value: unknown): DeleteReport {
  const report = new Reader(value, "report");
  return { deleted: report.texts("deleted"), pending: report.texts("pending") };
}
