import { quantileMs } from "../../core/activity.ts";
import { showBytes } from "../../core/show-bytes.ts";
import { printable } from "../../core/printable.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, type SessionFlags } from "../session.ts";
import { Table } from "../table.ts";
import { showSpan } from "../time.ts";
import { watch, type View } from "../watch.ts";
import { type NodeView, parseClusterStatus, type Status } from "./parse-status.ts";

export interface StatusFlags extends SessionFlags {
  readonly watch: boolean;
}

/** `kitchensink status` */
export async function showStatus(flags: StatusFlags): Promise<void> {
  await inSession(flags, async (session) => {
    const { http, signal } = session;
    const look = async (): Promise<View> => {
      const answer = await http.fetchJson({ method: "GET", path: "/v1/status", signal });
      return { text: render(parseClusterStatus(answer)), objects: [Object(answer) as object] };
    };
    if (flags.watch) return await watch(look, session);
    const { text, objects } = await look();
    await session.tell(text, objects);
    return EXIT.done;
  });
}

export function render({ store, nodes, queues, unplaced }: Status): string {
  const waiting = queues.reduce((sum, { jobs }) => sum + jobs, 0);
  const parts = [
    `${nodes.length === 1 ? "1 node" : `${nodes.length} nodes`}, ${store}, ${waiting === 1 ? "1 job waits" : `${waiting} jobs wait`}\n`,
    nodesPart(nodes),
    queues.length === 0
      ? ""
      : new Table(["QUEUE", "WAITING"], { rightAligned: ["WAITING"] }).text(
          queues.map(({ queue, jobs }) => [queue, String(jobs)]),
        ),
    unplaced === 0 ? "" : `${unplaced} of them for nodes that are gone (kitchensink doctor tells more)\n`,
    runsPart(nodes),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

const NODE_TITLES = [
  "NODE",
  "WORKERS",
  "BUSY",
  "BEGUN/S",
  "ENDED/S",
  "P50",
  "P99",
  "MEMORY",
  "DATA",
  "STATE",
];

function nodesPart(nodes: readonly NodeView[]): string {
  const table = new Table(NODE_TITLES, { rightAligned: NODE_TITLES.slice(1, -1) });
  return table.text(nodes.map(nodeRow));
}

function nodeRow(node: NodeView): string[] {
  if (node.error !== null) return [node.name, ...NODE_TITLES.slice(2).map(() => "-"), printable(node.error)];
  const { name, workers, begunPerSecond, endedPerSecond, durations, memoryBytes, dataBytes } = node;
  const queued = workers.filter(({ lane }) => lane === "queue");
  const states = [...(node.isFull ? ["its disk is full"] : []), ...(node.isReadOnly ? ["read-only"] : [])];
  return [
    name,
    String(queued.length),
    String(queued.filter(({ run }) => run !== null).length),
    begunPerSecond.toFixed(1),
    endedPerSecond.toFixed(1),
    showQuantile(durations, 0.5),
    showQuantile(durations, 0.99),
    showBytes(memoryBytes),
    showBytes(dataBytes),
    states.length === 0 ? "ok" : states.join(", "),
  ];
}

function showQuantile(durations: readonly number[], share: number): string {
  const ms = quantileMs(durations, share);
  return ms === undefined ? "-" : `≤ ${showSpan(ms)}`;
}

function runsPart(nodes: readonly NodeView[]): string {
  const rows = nodes.flatMap((node) =>
    node.error !== null
      ? []
      : node.workers.flatMap(({ lane, slot, run }) =>
          run === null
            ? []
            : [
                [
                  `${node.name} ${lane === "instant" ? "instant " : ""}${slot}`,
                  showSpan(run.forMs),
                  run.id,
                  printable(run.label),
                ],
              ],
        ),
  );
  if (rows.length === 0) return "";
  return new Table(["WORKER", "FOR", "JOB", "LABEL"], { rightAligned: ["FOR"] }).text(rows);
}
