import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { KitchenError } from "../core/errors.ts";

export interface ClusterFile {
  readonly path: string;
  readonly directory: string;
  readonly cluster: string;
  /** Where the directory's data is listed: while it has never had any, it is nobody's. */
  readonly journal: string;
}

/** Makes a data directory one cluster's. @throws KitchenError `KS_CONFLICT` when it has data of another's */
export async function claimForCluster({ path, directory, cluster, journal }: ClusterFile): Promise<void> {
  const owner = await readOwner(path);
  if (owner === cluster) return;
  if (owner !== undefined && (await hasBytes(journal)))
    throw new KitchenError(
      "KS_CONFLICT",
      `Cannot use the data directory ${directory} for the cluster "${cluster}": its data is of the cluster "${owner}" ` +
        "(give this node another --datadir, or have it join that cluster)",
    );
  await writeFile(`${path}.new`, `${JSON.stringify({ cluster })}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function hasBytes(path: string): Promise<boolean> {
  return await stat(path).then(
    ({ size }) => size > 0,
    () => false,
  );
}

async function readOwner(path: string): Promise<string | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    const { cluster } = JSON.parse(text) as { cluster?: unknown };
    if (typeof cluster === "string") return cluster;
  } catch {
    // Cut short by a loss of power, before there was any data.
  }
  return undefined;
}
