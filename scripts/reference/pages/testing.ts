/**
 * A cluster for tests, with real worker processes.
 *
 * @module Testing
 */
export { startCluster, type ClusterOptions, type Cluster } from "../../../src/testing.ts";
