import { randomUUID } from "node:crypto";
import { realpath, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { DataFacts } from "../../core/data.ts";
import { parseDataUrl, type DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import { showBytes } from "../../core/show-bytes.ts";
import { counted, kindOf, withTemporary, writing } from "./files.ts";
import { noSuchData } from "./info.ts";
import { withProgress } from "./progress.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, type Session, type SessionFlags } from "../session.ts";

export interface GetFlags extends SessionFlags {
  readonly force: boolean;
}

interface GetRequest extends GetFlags {
  readonly dataUrl: string;
  /** `-`: stdout. */
  readonly file: string | undefined;
}

/** `kitchensink data get` */
export async function getData(request: GetRequest): Promise<void> {
  const { file, json, force } = request;
  const url = parseDataUrl(request.dataUrl);
  if (file === "-" && json)
    throw new KitchenError("KS_USAGE", "Cannot write both data and JSON to stdout: drop - or --json");
  const place = file === "-" ? undefined : await placeFor(url, { file, force });
  await inSession(request, async (session) => {
    if (place === undefined) {
      await fetchInto(process.stdout, { url, session });
      return EXIT.done;
    }
    const { size, sha256 } = await fetchFile(place, { url, session, force });
    const told = { url, path: place.path, size, sha256 };
    await session.tell(`${place.path}  ${showBytes(size)}  ${sha256}\n`, [told]);
    return EXIT.done;
  });
}

interface Place {
  /** As it was said. */
  readonly path: string;
  /** Where that leads, by way of links. */
  readonly target: string;
  /** Such as /dev/null: it is written to, not replaced. */
  readonly isDevice: boolean;
}

/** Where the file will be. @throws KitchenError `KS_USAGE` when it cannot be there */
async function placeFor(
  url: DataUrl,
  { file, force }: { readonly file: string | undefined; readonly force: boolean },
): Promise<Place> {
  const given = file ?? basename(url);
  const isInside = file !== undefined && (await kindOf(given)) === "directory";
  const path = isInside ? join(given, basename(url)) : given;
  const kind = await kindOf(path);
  if (kind === "directory") throw cannotWrite(path, "it is a directory");
  // Opening a pipe may wait for its reader for ever, and Ctrl-C with it.
  if (kind === "other") throw cannotWrite(path, "it is no regular file (say - and redirect stdout)");
  if (kind === "device") return { path, target: path, isDevice: true };
  if (kind === "file") {
    checkReplaced(path, force);
    return { path, target: await realpath(path), isDevice: false };
  }
  const folder = path.endsWith("/") ? path : dirname(path);
  if ((await kindOf(folder)) !== "directory") throw cannotWrite(path, `there is no directory ${folder}`);
  return { path, target: path, isDevice: false };
}

interface Fetch {
  readonly url: DataUrl;
  readonly session: Session;
}

/** Beside its place first, so that nobody sees a part of it. */
async function fetchFile(place: Place, fetch: Fetch & { readonly force: boolean }): Promise<DataFacts> {
  const { target, isDevice } = place;
  const work = (stream: Writable): Promise<DataFacts> => fetchInto(stream, fetch);
  if (isDevice) return await writing(target, { flags: "w", work });
  return await withTemporary(join(dirname(target), `.kitchensink-${randomUUID()}.part`), async (part) => {
    const facts = await writing(part, { flags: "wx", work });
    if ((await kindOf(target)) !== undefined) checkReplaced(place.path, fetch.force);
    await rename(part, target);
    return facts;
  });
}

async function fetchInto(target: Writable, { url, session }: Fetch): Promise<DataFacts> {
  const { data, signal } = session;
  return await withProgress(async (progress) => {
    const { info, body } = await data.access.stream(url, { signal }).catch((error: unknown) => {
      throw error instanceof KitchenError && error.code === "KS_NO_SUCH_DATA" ? noSuchData(url) : error;
    });
    const onBytes = (bytes: number): void => progress.show({ label: url, bytes, totalBytes: info.size });
    await pipeline(counted(body, onBytes), target, { signal, end: target !== process.stdout });
    return info;
  });
}

function checkReplaced(path: string, force: boolean): void {
  if (!force) throw cannotWrite(path, "it is there already (--force overwrites it)");
}

function cannotWrite(path: string, why: string): KitchenError {
  return new KitchenError("KS_USAGE", `Cannot write ${path}: ${why}`);
}
