import type { DataInfo } from "../../client/remote-data/data-info.ts";
import { showBytes } from "../../core/show-bytes.ts";
import { Table } from "../table.ts";
import { showDate, showReplicas } from "./format.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, note, type Session, type SessionFlags } from "../session.ts";

export interface ListFlags extends SessionFlags {
  readonly long: boolean;
}

/** `kitchensink data ls`: page by page, as they come. */
export async function listData(flags: ListFlags & { readonly pattern: string }): Promise<void> {
  await inSession(flags, async (session) => {
    const table = new DataTable(flags.long);
    let count = 0;
    for await (const page of session.data.access.find(flags.pattern, { signal: session.signal })) {
      count += page.length;
      await table.tell(page, session);
    }
    if (count === 0) note(`Nothing matches ${flags.pattern} at ${flags.url}`);
    return EXIT.done;
  });
}

/** Data, one a row. */
export class DataTable {
  readonly #table: Table;
  readonly #isLong: boolean;

  constructor(isLong = false) {
    const titles = ["SIZE", "TYPE", "CODEC", "REPLICAS", "CREATED", ...(isLong ? ["SHA256"] : []), "URL"];
    this.#table = new Table(titles, { rightAligned: ["SIZE"] });
    this.#isLong = isLong;
  }

  async tell(infos: readonly DataInfo[], { tell }: Session): Promise<void> {
    if (infos.length > 0) await tell(this.#table.text(infos.map((info) => this.#row(info))), infos);
  }

  #row(info: DataInfo): string[] {
    const { url, size, type, codec, sha256, replicas } = info;
    const facts = [showBytes(size), type, codec ?? "-", showReplicas(replicas), showDate(info)];
    return [...facts, ...(this.#isLong ? [sha256] : []), url];
  }
}
