import { showBytes } from "../../core/show-bytes.ts";
import { printable } from "../../core/printable.ts";
import type { CatalogReport, ClusterReport, NodeReport, OwnReport } from "../../node/doctor/report.ts";
import type { WaitingQueue } from "../../store/inspection.ts";
import { checkClock } from "./clock.ts";
import { About, counted, type Finding, named } from "./finding.ts";
import { checkNode } from "./node-checks.ts";
import { checkStore } from "./store-checks.ts";

const WAIT = ["waits", "wait"];

/** Everything. `clockAheadMs`: of this machine, compared with the store's clock. */
export function checkCluster(report: ClusterReport<OwnReport>, clockAheadMs: number): Finding[] {
  const { store, nodes, catalog } = report;
  return [
    ...checkStore(store),
    ...nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1)).flatMap(checkNode),
    ...checkCatalog(catalog),
    ...checkJobs(report),
    ...checkHere(clockAheadMs),
  ];
}

function checkCatalog({ urls, orphans, away, isPartial }: CatalogReport): Finding[] {
  const about = new About("data");
  const looked = isPartial ? `, of the first ${urls.toLocaleString("en")}` : "";
  if (orphans.count > 0)
    about.problem(
      "orphans",
      `${counted(orphans.count, "url")} (${showBytes(orphans.bytes)})${looked}: replicas only on nodes that are away: ${printable(named(orphans))}`,
      `start ${away.join(", ")} again, or delete the data (kitchensink data rm)`,
    );
  else about.ok("orphans", `${counted(urls, "url")}${looked}, each with a node that is there`);
  return about.findings;
}

function checkJobs({ nodes, waiting }: ClusterReport<OwnReport>): Finding[] {
  const about = new About("jobs");
  for (const queue of waiting.queues) checkQueue(queue, { nodes, about });
  if (waiting.unplaced > 0)
    about.warning(
      "unplaced",
      `${counted(waiting.unplaced, "job", WAIT)} for nodes that are gone and had their data`,
      "nodes place them anew every few seconds: if they stay, their queue has no node that takes data",
    );
  const jobs = waiting.queues.reduce((sum, queue) => sum + queue.jobs, 0);
  if (about.findings.length === 0)
    about.ok(
      "queues",
      jobs === 0 ? "none waits" : `${counted(jobs, "job", WAIT)}, all for nodes that are there`,
    );
  return about.findings;
}

interface Served {
  readonly nodes: readonly NodeReport<OwnReport>[];
  readonly about: About;
}

function checkQueue({ queue, jobs }: WaitingQueue, { nodes, about }: Served): void {
  const [shared = "", only] = queue.split("|");
  const serves = ({ told }: NodeReport<OwnReport>): boolean => told === null || told.queues.includes(shared);
  const able = nodes.filter((node) => (only === undefined || node.name === only) && serves(node));
  if (able.length > 0) return;
  const many = counted(jobs, "job", WAIT);
  const cancel = "or cancel them";
  if (only === undefined)
    about.problem(
      "queues",
      `${many} in the queue ${shared}, which no node serves`,
      `start a node with --queue ${shared}, ${cancel}`,
    );
  else if (nodes.some(({ name }) => name === only))
    about.problem(
      "queues",
      `${many} for ${only} alone, in the queue ${shared}, which it does not serve`,
      `start it with --queue ${shared}, ${cancel}`,
    );
  else about.problem("queues", `${many} for ${only} alone, which is not there`, `start it again, ${cancel}`);
}

function checkHere(clockAheadMs: number): Finding[] {
  const about = new About("this machine");
  checkClock(clockAheadMs, about);
  return about.findings;
}
