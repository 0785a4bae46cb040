import type { DataInfo } from "../../client/remote-data/data-info.ts";
import { KitchenError } from "../../core/errors.ts";
import { showBytes } from "../../core/show-bytes.ts";
import { showDate } from "./format.ts";
import { EXIT } from "../exit-codes.ts";
import { complain, inSession, type Session, type SessionFlags } from "../session.ts";

/** `kitchensink data info` */
export async function showInfo(
  flags: SessionFlags & { readonly dataUrls: readonly string[] },
): Promise<void> {
  await inSession(flags, async ({ data, tell }) => {
    const infos = await data.info(flags.dataUrls);
    for (const [at, info] of infos.entries())
      if (info === undefined) complain(noSuchData(flags.dataUrls[at] ?? ""));
      else await tell(describe(info), [info]);
    return infos.includes(undefined) ? EXIT.notFound : EXIT.done;
  });
}

/** What is known of the data under one url. @throws KitchenError `KS_NO_SUCH_DATA` */
export async function infoOf({ data }: Session, url: string): Promise<DataInfo> {
  const [info] = await data.info([url]);
  if (info === undefined) throw noSuchData(url);
  return info;
}

export function noSuchData(url: string): KitchenError {
  return new KitchenError(
    "KS_NO_SUCH_DATA",
    `Nothing is saved under ${url} (kitchensink data ls shows what there is)`,
  );
}

function describe(info: DataInfo): string {
  const { url, size, type, codec, sha256, replicas } = info;
  const exactly = size < 1_000 ? "" : ` (${size.toLocaleString("en")} bytes)`;
  const places = replicas.map(({ node, url: address, isAlive }) =>
    isAlive ? `${node} ${address ?? ""}` : `${node} (away)`,
  );
  const rows: (readonly [string, string])[] = [
    ["size", `${showBytes(size)}${exactly}`],
    ["type", codec === null ? type : `${type}, codec ${codec}`],
    ["sha256", sha256],
    ["created", showDate(info)],
    ["replicas", places.length === 0 ? "none" : places.join(`\n${" ".repeat(2 + LABEL_WIDTH)}`)],
  ];
  return `${url}\n${rows.map(([label, text]) => `  ${label.padEnd(LABEL_WIDTH)}${text.trimEnd()}\n`).join("")}`;
}

const LABEL_WIDTH = 10;
