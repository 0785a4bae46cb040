import { Http } from "../../client/http.ts";
import { findToken } from "../../client/token.ts";
import { KitchenError } from "../../core/errors.ts";
import { checkCluster } from "./cluster-checks.ts";
import { parseReport } from "./parse-report.ts";
import { render } from "./render.ts";

export interface DoctorFlags {
  readonly url: string;
  readonly json: boolean;
}

/** Each node has 5 s to answer, and looks at its files for some more. */
const SILENCE_MS = 60_000;

/** `kitchensink doctor`: problems make the exit code 1, warnings do not. */
export async function examine({ url, json }: DoctorFlags): Promise<void> {
  if (!URL.canParse(url))
    throw new KitchenError("KS_USAGE", `Not the address of a node: ${JSON.stringify(url)}`);
  const place = new URL(url);
  const http = new Http(place, findToken(place));
  try {
    const asked = performance.now();
    const answer = await http.fetchJson({
      method: "GET",
      path: "/v1/doctor",
      isLong: true,
      silenceMs: SILENCE_MS,
    });
    const report = parseReport(answer);
    // The store was asked at some time in between.
    const clockAheadMs = Date.now() - (performance.now() - asked) / 2 - report.store.nowMs;
    const findings = checkCluster(report, Math.round(clockAheadMs));
    const { stdout } = process;
    const title = `${report.nodes.length === 1 ? "1 node" : `${report.nodes.length} nodes`}, ${report.store.description}\n\n`;
    stdout.write(
      json
        ? findings.map((finding) => `${JSON.stringify(finding)}\n`).join("")
        : title + render(findings, { isColored: stdout.isTTY && stdout.hasColors() }),
    );
    process.exitCode = findings.some(({ level }) => level === "problem") ? 1 : 0;
  } finally {
    http.close();
  }
}
