import type { PipelineReport } from "../../client/remote-data/data-info.ts";
import { KitchenError } from "../../core/errors.ts";
import { showBytes } from "../../core/show-bytes.ts";
import { printable } from "../../core/printable.ts";
import { count } from "../start-options.ts";
import { Table } from "../table.ts";
import { showSpan } from "../time.ts";
import { infoOf } from "./info.ts";
import { withProgress } from "./progress.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, note, type SessionFlags } from "../session.ts";

export interface PipelineFlags extends SessionFlags {
  readonly nodes?: string;
  readonly copies?: string;
}

const MOST_COPIES = 100_000;

/** `kitchensink data pipeline` */
export async function copyData(flags: PipelineFlags & { readonly dataUrl: string }): Promise<void> {
  const nodes = flags.nodes === undefined ? undefined : namesIn(flags.nodes);
  const copies =
    flags.copies === undefined ? undefined : count("--copies", flags.copies, { least: 1, most: MOST_COPIES });
  await inSession(flags, async (session) => {
    const { url, size: totalBytes } = await infoOf(session, flags.dataUrl);
    const { data, signal, tell } = session;
    const report = await withProgress(
      async (progress) =>
        await data.pipeline(url, {
          nodes,
          copies,
          signal,
          onProgress: ({ node, bytes }) => progress.show({ label: node, bytes, totalBytes }),
        }),
    );
    await tell(describe(report), [report]);
    const { failed, shortfall } = report;
    if (failed.length > 0) note(`${url} is not on ${failed.map(({ node }) => node).join(", ")}`);
    if (shortfall !== null) {
      const { reached, wanted, reason } = shortfall;
      note(`${url}: ${reached} of ${wanted} copies: ${printable(reason)}`);
    }
    // Where others could take what some did not, the number of copies is what was asked for.
    const isDone = copies === undefined ? failed.length === 0 : shortfall === null;
    return isDone ? EXIT.done : EXIT.failed;
  });
}

/** @throws KitchenError `KS_USAGE` when there is none */
function namesIn(text: string): readonly string[] {
  const names = text.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
  if (names.length > 0) return names;
  throw new KitchenError("KS_USAGE", "Not a value for --nodes: expected names with commas between them");
}

function describe({ size, copies, failed }: PipelineReport): string {
  const table = new Table(["NODE", "STATUS", "SIZE", "TIME", ""], { rightAligned: ["SIZE", "TIME"] });
  return table.text([
    ...copies.map(({ node, status, ms }) =>
      status === "present" ? [node, "had it"] : [node, "copied", showBytes(size), showSpan(ms)],
    ),
    ...failed.map(({ node, reason }) => [node, "failed", "", "", printable(reason)]),
  ]);
}
