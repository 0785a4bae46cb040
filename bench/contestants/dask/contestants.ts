// Dask distributed: a scheduler and two workers with a thread each. It sends functions along, as this project does.
import type { Contestant } from "../contestant.ts";
import { pythonContestant } from "../python.ts";

export const dask: Contestant = pythonContestant({
  name: "dask",
  title: "Dask distributed, 2 workers",
  module: "distributed",
  debian: "python3-distributed",
  folder: new URL("./", import.meta.url),
  counts: { cold: 100, warmUp: 200, oneByOne: 200, many: 2_000 },
  usesRedis: false,
  programs: (port) => [
    {
      part: "node",
      args: `-m distributed.cli.dask_scheduler --host 127.0.0.1 --port ${port} --no-dashboard`.split(" "),
      ready: /Scheduler at/,
    },
    {
      part: "workers",
      args: `-m distributed.cli.dask_worker tcp://127.0.0.1:${port} --nworkers 2 --nthreads 1 --no-dashboard`.split(
        " ",
      ),
      ready: /Registered to/,
    },
  ],
});
