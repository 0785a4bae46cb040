export { startCluster, type Cluster, type ClusterOptions } from "./testing/start-cluster.ts";
