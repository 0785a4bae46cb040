import { showBytes } from "../../core/show-bytes.ts";
import { PACKAGE_VERSION } from "../../core/version.ts";
import { printable } from "../../core/printable.ts";
import type { DirectoryReport, NodeReport, OwnReport } from "../../node/doctor/report.ts";
import { About, counted, type Finding, named } from "./finding.ts";
import { checkClock } from "./clock.ts";

export function checkNode({ name, url, told, error }: NodeReport<OwnReport>): Finding[] {
  const about = new About(name);
  if (told === null) {
    const message = `it holds its place in the cluster and does not answer: ${printable(error ?? "no reason was given")}`;
    about.problem(
      "answers",
      message,
      `its log may say why; is it reached at ${url ?? "its --node-url"} from other nodes?`,
    );
    return about.findings;
  }
  checkRelease(told, about);
  checkWorkers(told, about);
  checkDisk(told, about);
  checkData(told.data, { name, about });
  checkClock(told.clockAheadMs, about);
  return about.findings;
}

function checkRelease({ version, protocol }: OwnReport, about: About): void {
  const runs = `it runs ${version}, protocol ${protocol}`;
  if (version === PACKAGE_VERSION) about.ok("release", runs);
  else
    about.warning(
      "release",
      `${runs}, and this program is ${PACKAGE_VERSION}`,
      "install the same release everywhere",
    );
}

function checkWorkers({ workers, startFailures, queues }: OwnReport, about: About): void {
  if (startFailures === 0)
    about.ok(
      "workers",
      `${counted(workers, "worker")}, for the ${queues.length === 1 ? "queue" : "queues"} ${queues.join(", ")}`,
    );
  else
    about.problem(
      "workers",
      `a worker failed at its start ${counted(startFailures, "time")} in a row`,
      "its log says why: a --module that throws, or no memory left",
    );
}

function checkDisk({ freeBytes, reservedBytes, isFull, isReadOnly }: OwnReport, about: About): void {
  const free = `${showBytes(freeBytes)} free on the disk of its data, ${showBytes(reservedBytes)} of them as a reserve`;
  const advice = "delete data (kitchensink data rm), or use a larger disk";
  if (isFull) about.problem("disk", `its disk is full, so that it takes no data: ${free}`, advice);
  else if (freeBytes < 2 * reservedBytes) about.warning("disk", free, advice);
  else about.ok("disk", isReadOnly ? `${free}; it is read-only` : free);
}

function checkData(
  data: DirectoryReport,
  { name, about }: { readonly name: string; readonly about: About },
): void {
  const { replicas, missing, unlisted, strangers, quarantined, leftovers, isPartial } = data;
  const before = about.findings.length;
  if (missing.count > 0)
    about.problem(
      "missing",
      `${counted(missing.count, "replica")} without a file: ${shown(missing)}`,
      "another replica is fetched when they are next read here; without one the data are lost: save them again",
    );
  if (unlisted.count > 0)
    about.warning(
      "unlisted",
      `${counted(unlisted.count, "replica", ["is", "are"])} not in the catalog: ${shown(unlisted)}`,
      "start the node again",
    );
  if (strangers.count > 0)
    about.warning(
      "strangers",
      `${counted(strangers.count, "file")} (${showBytes(strangers.bytes)}) in its data directory, of nobody's data: ${shown(strangers)}`,
      `take them in (kitchensink data adopt PATTERN --node ${name}), or move them out of ${printable(data.path)}`,
    );
  if (quarantined.count > 0)
    about.warning(
      "quarantine",
      `${counted(quarantined.count, "file")} (${showBytes(quarantined.bytes)}) put aside, damaged or with the url of other data: ${shown(quarantined)}`,
      "look whether its disk is failing, or whether they are still wanted, then delete them",
    );
  if (leftovers.count > 0)
    about.warning(
      "leftovers",
      `${counted(leftovers.count, "part")} (${showBytes(leftovers.bytes)}) of nothing that is on its way`,
      "they are removed when the node starts again",
    );
  if (about.findings.length === before)
    about.ok(
      "data",
      `${counted(replicas, "replica")}, with ${replicas === 1 ? "its file" : "their files"}${isPartial ? " as far as was looked" : ""}`,
    );
}

function shown(some: Parameters<typeof named>[0]): string {
  return printable(named(some));
}
