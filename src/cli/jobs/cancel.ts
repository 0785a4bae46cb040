import { KitchenError } from "../../core/errors.ts";
import { Reader } from "../../client/reader.ts";
import type { JobId } from "../../core/ids.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, type Session, type SessionFlags } from "../session.ts";
import { findJob } from "./find-job.ts";

export interface CancelFlags extends SessionFlags {
  readonly all: boolean;
  readonly reason: string;
}

type CancelRequest = CancelFlags & { readonly ids: readonly string[] };

/** `kitchensink cancel` */
export async function cancelJobs(request: CancelRequest): Promise<void> {
  const { all, ids, reason } = request;
  if (all === ids.length > 0)
    throw new KitchenError("KS_USAGE", "Say what to cancel: either ids of jobs, or --all");
  await inSession(request, async (session) => {
    const jobs = all ? ("all" as const) : await Promise.all(ids.map((id) => findJob(id, session)));
    const rows = await cancel(jobs, { reason, session });
    const lines = rows.map(([id, reply]) => `${id}  ${MEANINGS[reply] ?? reply}\n`);
    await session.tell(
      all ? `${counted(rows)} cancelled\n` : lines.join(""),
      rows.map(([id, state]) => ({ id, state })),
    );
    return rows.some(([, reply]) => reply === "unknown") ? EXIT.notFound : EXIT.done;
  });
}

/** What nodes say of a job that is to be cancelled, for people. */
const MEANINGS: Readonly<Record<string, string>> = {
  cancelled: "cancelled",
  cancelling: "told to stop",
  stopping: "was told to stop before, and has not yet",
  final: "has ended already",
  unknown: "there is no such job, or its result has expired",
};

/** A job's id, and what became of the wish. */
type Reply = readonly [id: string, reply: string];

interface Cancelling {
  readonly reason: string;
  readonly session: Session;
}

async function cancel(
  jobs: readonly JobId[] | "all",
  { reason, session }: Cancelling,
): Promise<readonly Reply[]> {
  const { http, signal } = session;
  const answer = await http.fetchJson({
    method: "POST",
    path: "/v1/cancel",
    type: "application/json",
    body: JSON.stringify({ jobs, reason }),
    signal,
  });
  const replies = new Reader(answer, "answer").value("jobs");
  const byId = new Reader(replies, "answer's jobs");
  return Object.keys(Object(replies)).map((id) => [id, byId.text(id)]);
}

function counted(rows: readonly Reply[]): string {
  const count = rows.filter(([, reply]) => reply === "cancelled" || reply === "cancelling").length;
  return count === 1 ? "1 job" : `${count} jobs`;
}
