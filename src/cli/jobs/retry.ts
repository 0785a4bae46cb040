import { EXIT } from "../exit-codes.ts";
import { inSession, type SessionFlags } from "../session.ts";
import { findJob } from "./find-job.ts";

/** `kitchensink retry` */
export async function retryJob(request: SessionFlags & { readonly id: string }): Promise<void> {
  await inSession(request, async (session) => {
    const of = await findJob(request.id, session);
    const id = await session.client.job(of).retry();
    await session.tell(`${id}\n`, [{ id, of }]);
    return EXIT.done;
  });
}
