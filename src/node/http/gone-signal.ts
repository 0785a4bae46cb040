import type { FastifyReply } from "fastify";

/** Aborted when the caller goes away before the answer is complete. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const tell = (): void => {
    if (!raw.writableFinished) gone.abort("the caller went away");
  };
  // Nothing more is heard of one that has gone already.
  if (raw.destroyed) tell();
  else raw.once("close", tell);
  return gone.signal;
}
