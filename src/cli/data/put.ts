import { mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { DataInfo } from "../../client/remote-data/data-info.ts";
import { parseDataUrl, type DataUrl } from "../../core/data-url.ts";
import type { DataType } from "../../core/data.ts";
import { KitchenError } from "../../core/errors.ts";
import { showBytes } from "../../core/show-bytes.ts";
import { counted, kindOf, withTemporary, writing } from "./files.ts";
import { withProgress, type Progress } from "./progress.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, note, type SessionFlags } from "../session.ts";

export interface PutFlags extends SessionFlags {
  readonly node?: string;
  readonly codec?: string;
  readonly type: DataType;
}

interface PutRequest extends PutFlags {
  /** `-`: stdin. */
  readonly file: string;
  readonly dataUrl: string;
}

const CODEC = /^[a-z][a-z0-9.-]{0,31}$/;

/** `kitchensink data put` */
export async function putData(request: PutRequest): Promise<void> {
  const { file, node, type } = request;
  const codec = codecIn(request);
  const url = urlIn(request);
  const isStdin = file === "-";
  const label = isStdin ? "stdin" : basename(file);
  if (!isStdin) await checkFile(file);
  await inSession(request, async ({ data, signal, tell }) => {
    const info = await withProgress(async (progress) => {
      const send = async (path: string): Promise<DataInfo> => {
        const totalBytes = statSync(path).size;
        const content = { type: "file", path } as const;
        return await data.access.save(content, {
          url,
          codec,
          type,
          node,
          signal,
          onHash: (bytes) => progress.show({ label, phase: "reading", bytes, totalBytes }),
          onProgress: ({ bytes }) => progress.show({ label, phase: "sending", bytes, totalBytes }),
        });
      };
      return isStdin ? await spooled({ label, progress, signal }, send) : await send(resolve(file));
    });
    await tell(`${info.url}  ${showBytes(info.size)}  ${info.sha256}\n`, [info]);
    return EXIT.done;
  });
}

interface SpoolOptions {
  readonly label: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Stdin, as a file: it is read for its hash first, and again where a connection broke. */
async function spooled<T>(
  { label, progress, signal }: SpoolOptions,
  work: (path: string) => Promise<T>,
): Promise<T> {
  if (process.stdin.isTTY) note("Reading stdin (Ctrl-D ends it)");
  return await withTemporary(mkdtempSync(join(tmpdir(), "kitchensink-")), async (folder) => {
    const path = join(folder, "data");
    const onBytes = (bytes: number): void => progress.show({ label, phase: "receiving", bytes });
    await writing(path, {
      flags: "wx",
      work: (target) => pipeline(process.stdin, (pieces) => counted(pieces, onBytes), target, { signal }),
    });
    return await work(path);
  });
}

/** @throws KitchenError `KS_USAGE` for what cannot be read twice */
async function checkFile(file: string): Promise<void> {
  const kind = await kindOf(file);
  if (kind === "file") return;
  if (kind === undefined) throw new KitchenError("KS_USAGE", `Cannot store ${file}: there is no such file`);
  const why =
    kind === "directory"
      ? "a directory (store its files one by one)"
      : "no regular file (say - and redirect stdin)";
  throw new KitchenError("KS_USAGE", `Cannot store ${file}: it is ${why}`);
}

function urlIn({ file, dataUrl }: PutRequest): DataUrl {
  return parseDataUrl(dataUrl.endsWith("/") && file !== "-" ? dataUrl + basename(file) : dataUrl);
}

/** @throws KitchenError `KS_USAGE` for no name of a codec, and for an object that nothing could decode */
function codecIn({ codec, type }: PutFlags): string | null {
  if (codec !== undefined && !CODEC.test(codec))
    throw new KitchenError(
      "KS_USAGE",
      `Not a codec's name: ${JSON.stringify(codec)} (expected json, structured, closure, or your own: a small letter, then up to 31 small letters, digits, . and -)`,
    );
  if (codec !== undefined || type === "file") return codec ?? null;
  throw new KitchenError("KS_USAGE", "Cannot store an object without its codec: say --codec too");
}
