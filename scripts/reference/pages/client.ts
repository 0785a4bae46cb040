/**
 * What calls functions on a cluster, how it calls them, and what it tells of the cluster.
 *
 * @module Client
 */
export {
  Client,
  setupClient,
  client,
  type ClientOptions,
  type ConnectOptions,
  type OutputOption,
  type Sink,
  type ModulesOption,
  type Rpc,
  type NodeStatus,
  type FunctionInfo,
  type InputForm,
  type JsonSchema,
} from "../../../src/index.ts";
