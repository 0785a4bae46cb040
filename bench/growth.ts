// What becomes of throughput when there are more nodes, and of memory and claims when more jobs wait.
import type { Options } from "./support/arguments.ts";
import { measureNodes } from "./growth/nodes.ts";
import { measureQueue } from "./growth/queue.ts";
import type { Report } from "./support/report.ts";
import { referenceWork } from "./support/reference-work.ts";

export async function measureGrowth(options: Options): Promise<Report> {
  const referenceMs = [referenceWork()];
  const nodes = await measureNodes(options);
  referenceMs.push(referenceWork());
  const queue = await measureQueue(options);
  referenceMs.push(referenceWork());
  return {
    suite: "growth",
    tables: [nodes.table, queue.table],
    lines: [...nodes.charts, ...queue.charts],
    measured: { nodes: nodes.measured, queue: queue.measured },
    referenceMs,
  };
}
