import { showBytes } from "../../core/show-bytes.ts";
import type { StoreReport } from "../../node/doctor/report.ts";
import type { ServerDiagnosis } from "../../store/inspection.ts";
import { About, counted, type Finding } from "./finding.ts";

/** Parts of the memory limit. Above it, submits are refused. */
const HIGH_SHARE = 0.75;
const VERY_HIGH_SHARE = 0.9;

export function checkStore({ kind, servers }: StoreReport): Finding[] {
  const about = new About("store");
  if (kind === "embedded")
    about.ok(
      "persistence",
      "jobs are in the memory of the one node, and end with it; data stay (for more nodes, take a Redis)",
    );
  const found = servers.flatMap((server) => checkServer(server, { kind, isAlone: servers.length === 1 }));
  return [...about.findings, ...found];
}

function checkServer(
  server: ServerDiagnosis,
  { kind, isAlone }: { readonly kind: StoreReport["kind"]; readonly isAlone: boolean },
): Finding[] {
  const about = new About(isAlone || server.address === null ? "store" : `store at ${server.address}`);
  checkVersion(server, about);
  checkPersistence(server, about);
  checkEviction(server, about);
  checkMemory(server, about);
  checkReplication(server, kind, about);
  return about.findings;
}

function checkVersion({ product, isSupported }: ServerDiagnosis, about: About): void {
  if (isSupported) about.ok("version", `${product} is supported`);
  else about.problem("version", `${product} is too old`, "take Redis 6.2 or later, or Valkey");
}

function checkPersistence(server: ServerDiagnosis, about: About): void {
  for (const what of server.failedWrites)
    about.problem(
      "writes",
      `its last ${what} could not be written`,
      "make room on its disk; its own log says more",
    );
  if (server.isAppendOnly) return checkSync(server, about);
  if (server.save === "")
    return about.warning(
      "persistence",
      "it keeps nothing on disk: jobs and results are gone when it ends",
      "set appendonly yes, unless they may be lost",
    );
  const when = server.save === null ? "at most snapshots" : `snapshots (save ${server.save})`;
  about.warning(
    "persistence",
    `it keeps ${when}: what was acknowledged since the last one is lost when it dies`,
    "set appendonly yes",
  );
}

function checkSync({ appendFsync }: ServerDiagnosis, about: About): void {
  if (appendFsync === "no")
    about.warning(
      "persistence",
      "its append-only file goes to the disk when the system likes: a crash of the machine loses up to half a minute",
      "set appendfsync everysec, or always",
    );
  else if (appendFsync === "always") about.ok("persistence", "what it acknowledges is on disk");
  else
    about.ok(
      "persistence",
      "it keeps an append-only file; a crash of the machine loses the last second at most",
    );
}

function checkEviction({ evictionPolicy }: ServerDiagnosis, about: About): void {
  if (evictionPolicy === "noeviction")
    about.ok("eviction", "it throws nothing away (maxmemory-policy noeviction)");
  else
    about.problem(
      "eviction",
      `it may throw jobs away when its memory is full (maxmemory-policy ${evictionPolicy})`,
      "set maxmemory-policy noeviction",
    );
}

function checkMemory({ usedMemoryBytes: used, maxMemoryBytes: most }: ServerDiagnosis, about: About): void {
  if (most === 0) return about.ok("memory", `it uses ${showBytes(used)}, and has no limit (maxmemory 0)`);
  const message = `it uses ${showBytes(used)} of ${showBytes(most)} (${Math.round((used / most) * 100)} %)`;
  const advice =
    "raise maxmemory, or keep results for a shorter time (--result-ttl): beyond it, calls are refused";
  if (used >= most * VERY_HIGH_SHARE) about.problem("memory", message, advice);
  else if (used >= most * HIGH_SHARE) about.warning("memory", message, advice);
  else about.ok("memory", message);
}

function checkReplication({ replicas }: ServerDiagnosis, kind: StoreReport["kind"], about: About): void {
  if (replicas > 0) about.ok("replication", `${counted(replicas, "replica")} connected`);
  else if (kind === "sentinel" || kind === "cluster")
    about.warning(
      "replication",
      "no replica is connected: there is nobody to fail over to",
      "start one, on another machine",
    );
}
