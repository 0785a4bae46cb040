import { EXIT } from "../exit-codes.ts";
import { inSession, type SessionFlags } from "../session.ts";
import { painter } from "../style.ts";
import { checkCluster } from "./cluster-checks.ts";
import { parseReport } from "./parse-report.ts";
import { render } from "./render.ts";

/** Each node has 5 s to answer, and looks at its files for some more. */
const SILENCE_MS = 60_000;

/** `kitchensink doctor`: problems make the exit code 1, warnings do not. */
export async function examine(flags: SessionFlags): Promise<void> {
  await inSession(flags, async ({ http, signal, tell }) => {
    const asked = performance.now();
    const answer = await http.fetchJson({
      method: "GET",
      path: "/v1/doctor",
      isLong: true,
      silenceMs: SILENCE_MS,
      signal,
    });
    const report = parseReport(answer);
    // The store was asked at some time in between.
    const clockAheadMs = Date.now() - (performance.now() - asked) / 2 - report.store.nowMs;
    const findings = checkCluster(report, Math.round(clockAheadMs));
    const title = `${report.nodes.length === 1 ? "1 node" : `${report.nodes.length} nodes`}, ${report.store.description}\n\n`;
    await tell(title + render(findings, painter(process.stdout)), findings);
    return findings.some(({ level }) => level === "problem") ? EXIT.failed : EXIT.done;
  });
}
