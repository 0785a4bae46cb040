import { parseNodeName } from "../../core/ids.ts";
import { malformed, Reader } from "../../client/reader.ts";
import type { Pile } from "../../data/survey.ts";
import type {
  CatalogReport,
  ClusterReport,
  DirectoryReport,
  Names,
  NodeReport,
  OwnReport,
  StoreReport,
} from "../../node/doctor/report.ts";
import type { ServerDiagnosis, Waiting } from "../../store/inspection.ts";

/** Reads what a node answered. @throws KitchenError when it is something else */
export function parseReport(value: unknown): ClusterReport<OwnReport> {
  const report = new Reader(value, "report");
  return {
    node: parseNodeName(report.text("node")),
    store: parseStore(report.value("store")),
    nodes: report.rows("nodes", "node").map(parseNode),
    catalog: parseCatalog(report.value("catalog")),
    waiting: parseWaiting(report.value("waiting")),
  };
}

const KINDS = ["embedded", "server", "sentinel", "cluster"] as const;

function parseStore(value: unknown): StoreReport {
  const store = new Reader(value, "store");
  const kind = KINDS.find((name) => name === store.text("kind"));
  if (kind === undefined) throw malformed("kind of store");
  return {
    kind,
    description: store.text("description"),
    nowMs: store.number("nowMs"),
    servers: store.rows("servers", "server").map(parseServer),
  };
}

function parseServer(server: Reader): ServerDiagnosis {
  return {
    address: server.textOrNull("address"),
    product: server.text("product"),
    isSupported: server.boolean("isSupported"),
    isAppendOnly: server.boolean("isAppendOnly"),
    appendFsync: server.textOrNull("appendFsync"),
    save: server.textOrNull("save"),
    failedWrites: server.texts("failedWrites"),
    evictionPolicy: server.text("evictionPolicy"),
    maxMemoryBytes: server.number("maxMemoryBytes"),
    usedMemoryBytes: server.number("usedMemoryBytes"),
    replicas: server.number("replicas"),
  };
}

function parseNode(node: Reader): NodeReport<OwnReport> {
  return {
    name: parseNodeName(node.text("name")),
    url: node.textOrNull("url"),
    told: node.has("told") ? parseOwn(node.value("told")) : null,
    error: node.textOrNull("error"),
  };
}

function parseOwn(value: unknown): OwnReport {
  const own = new Reader(value, "node's report");
  return {
    version: own.text("version"),
    protocol: own.number("protocol"),
    clockAheadMs: own.number("clockAheadMs"),
    queues: own.texts("queues"),
    workers: own.number("workers"),
    startFailures: own.number("startFailures"),
    isReadOnly: own.boolean("isReadOnly"),
    freeBytes: own.number("freeBytes"),
    reservedBytes: own.number("reservedBytes"),
    isFull: own.boolean("isFull"),
    data: parseDirectory(own.value("data")),
  };
}

function parseDirectory(value: unknown): DirectoryReport {
  const data = new Reader(value, "data directory");
  return {
    path: data.text("path"),
    replicas: data.number("replicas"),
    missing: parseNames(data.value("missing")),
    unlisted: parseNames(data.value("unlisted")),
    strangers: parsePile(data.value("strangers")),
    quarantined: parsePile(data.value("quarantined")),
    leftovers: parsePile(data.value("leftovers")),
    isPartial: data.boolean("isPartial"),
  };
}

function parseCatalog(value: unknown): CatalogReport {
  const catalog = new Reader(value, "catalog");
  return {
    urls: catalog.number("urls"),
    orphans: parsePile(catalog.value("orphans")),
    away: catalog.texts("away").map(parseNodeName),
    isPartial: catalog.boolean("isPartial"),
  };
}

function parseWaiting(value: unknown): Waiting {
  const waiting = new Reader(value, "waiting jobs");
  return {
    queues: waiting.rows("queues", "queue").map((queue) => ({
      queue: queue.text("queue"),
      jobs: queue.number("jobs"),
    })),
    unplaced: waiting.number("unplaced"),
  };
}

function parsePile(value: unknown): Pile {
  const pile = new Reader(value, "pile of files");
  return { ...parseNames(value), bytes: pile.number("bytes") };
}

function parseNames(value: unknown): Names {
  const names = new Reader(value, "list of names");
  return { count: names.number("count"), examples: names.texts("examples") };
}
