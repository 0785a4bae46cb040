import type { DataInfo, DeleteReport } from "../../client/remote-data/data-info.ts";
import { KitchenError } from "../../core/errors.ts";
import { noSuchData } from "./info.ts";
import { DataTable } from "./list.ts";
import { EXIT, exitCodeOf } from "../exit-codes.ts";
import { complain, inSession, note, type Session, type SessionFlags } from "../session.ts";

export interface RemoveFlags extends SessionFlags {
  readonly node?: string;
  readonly match?: string;
  readonly yes: boolean;
}

/** `kitchensink data rm` */
export async function removeData(
  flags: RemoveFlags & { readonly dataUrls: readonly string[] },
): Promise<void> {
  const { dataUrls, match, node, yes } = flags;
  if ((dataUrls.length === 0) === (match === undefined))
    throw new KitchenError("KS_USAGE", "Say what to delete: either urls, or --match and a pattern");
  await inSession(flags, async (session) => {
    if (match === undefined) return await removeAll(dataUrls, { node, session });
    const found = await matching(match, { node, session });
    if (found.length === 0) note(`Nothing matches ${match} at ${flags.url}`);
    if (found.length === 0 || yes)
      return await removeAll(
        found.map(({ url }) => url),
        { node, session },
      );
    await new DataTable().tell(found, session);
    note(`Nothing was deleted: add --yes to delete ${found.length === 1 ? "this" : `these ${found.length}`}`);
    return EXIT.usage;
  });
}

interface Removal {
  readonly node: string | undefined;
  readonly session: Session;
}

async function matching(pattern: string, { node, session }: Removal): Promise<readonly DataInfo[]> {
  const found: DataInfo[] = [];
  for await (const page of session.data.access.find(pattern, { signal: session.signal }))
    for (const info of page)
      if (node === undefined || info.replicas.some((replica) => replica.node === node)) found.push(info);
  return found;
}

/** One that is not there does not keep the others. */
async function removeAll(urls: readonly string[], { node, session }: Removal): Promise<number> {
  let exitCode: number = EXIT.done;
  for (const url of urls)
    try {
      const report = await session.data.delete(url, { node });
      await session.tell(`${url}: ${describe(report)}\n`, [{ url, ...report }]);
    } catch (error) {
      if (!(error instanceof KitchenError) || !OF_ONE_URL.has(error.code)) throw error;
      complain(error.code === "KS_NO_SUCH_DATA" && node === undefined ? notThere(url) : error);
      exitCode = exitCodeOf(error);
    }
  return exitCode;
}

const OF_ONE_URL: ReadonlySet<string> = new Set(["KS_NO_SUCH_DATA", "KS_BAD_REQUEST"]);

/** Who wrote a pattern expects it to be one. */
function notThere(url: string): KitchenError {
  if (!/[*?[]/.test(url)) return noSuchData(url);
  return new KitchenError(
    "KS_NO_SUCH_DATA",
    `Nothing is saved under ${url}, and patterns are not expanded here (kitchensink data rm --match '${url}' lists what it matches)`,
  );
}

function describe({ deleted, pending }: DeleteReport): string {
  const parts = [
    ...(deleted.length === 0 ? [] : [`deleted on ${deleted.join(", ")}`]),
    ...(pending.length === 0
      ? []
      : [`to be deleted on ${pending.join(", ")}, which is away, when it is back`]),
  ];
  return parts.length === 0 ? "deleted" : parts.join("; ");
}
