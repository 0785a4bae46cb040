// Who takes part. A new contestant is a folder beside this file, and its line here.
import { beeQueue } from "./bee-queue/contestants.ts";
import { bullmq } from "./bullmq/contestants.ts";
import { celery } from "./celery/contestants.ts";
import type { Contestant } from "./contestant.ts";
import { dask } from "./dask/contestants.ts";
import { kitchensink } from "./kitchensink/contestants.ts";
import { piscina } from "./piscina/contestants.ts";
import { rq } from "./rq/contestants.ts";

export const CONTESTANTS: readonly Contestant[] = [
  ...kitchensink,
  beeQueue,
  ...bullmq,
  celery,
  dask,
  rq,
  piscina,
];
