import { inSession, type SessionFlags } from "../session.ts";
import { findJob } from "./find-job.ts";
import { showEnd } from "./show-end.ts";

/** `kitchensink result`: without the job's output, for which there is `logs`. */
export async function showResultOf(request: SessionFlags & { readonly id: string }): Promise<void> {
  await inSession(request, async (session) => {
    const { client, signal } = session;
    const id = await findJob(request.id, session);
    const job = client.with({ output: "off" }).job(id);
    // The job goes on; only the wait for it ends.
    signal.addEventListener("abort", () => void client.close(), { once: true });
    return await showEnd(job, session);
  });
}
