import type { RedisAddress } from "./address.ts";
import { connectToCluster } from "./cluster-connection.ts";
import type { Connection } from "./connection.ts";
import { connectToServer } from "./server-connection.ts";

/** Opens a connection; it heals by itself from then on. @throws KitchenError `KS_UNAVAILABLE` when none can be made, `KS_USAGE` */
export async function connect(address: RedisAddress, connectTimeoutMs: number): Promise<Connection> {
  return address.kind === "cluster"
    ? await connectToCluster(address, connectTimeoutMs)
    : await connectToServer(address, connectTimeoutMs);
}
