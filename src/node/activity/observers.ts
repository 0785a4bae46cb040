import type { Activity } from "./activity.ts";
import { ClusterWatch, type ClusterWatchOptions } from "./cluster-watch.ts";
import { Feed } from "./feed.ts";
import { NodeWatch, type NodeWatchOptions } from "./node-watch.ts";

/** Who tells what happens: here, in the cluster, and as it goes on. */
export interface Observers {
  readonly activity: Activity;
  readonly watch: NodeWatch;
  readonly cluster: ClusterWatch;
  readonly feed: Feed;
}

export function observe(options: NodeWatchOptions & Omit<ClusterWatchOptions, "watch">): Observers {
  const watch = new NodeWatch(options);
  const cluster = new ClusterWatch({ ...options, watch });
  return { activity: options.activity, watch, cluster, feed: new Feed(cluster) };
}
