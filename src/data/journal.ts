import { createReadStream } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { parseDataType, parseSha256 } from "../core/data.ts";
import { parseDataUrl, type DataUrl } from "../core/data-url.ts";
import { syncFolder } from "./layout.ts";
import { unlessFull } from "./storage-error.ts";
import type { Replica } from "./types.ts";

/** What the journal keeps of a replica: its facts, and the times by which its file is known again. */
export interface Entry {
  readonly replica: Replica;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

type Line =
  | { readonly type: "kept"; readonly entry: Entry }
  | { readonly type: "gone"; readonly url: DataUrl };

/** Lines that say nothing any more, before the journal is written anew. */
const FEW_DEAD_LINES = 1_000;

interface Waiting {
  readonly text: string;
  /** What is true when the text is on the disk. */
  readonly onSaid: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The list of a data directory's replicas: one JSON line for each change. What is appended is on the disk. It is written
 * anew when half of it says nothing any more.
 */
export class Journal {
  readonly #path: string;
  /** What its lines come to. */
  readonly #entries: Map<DataUrl, Entry>;
  #handle: FileHandle;
  /** Up to where whole lines are on the disk. */
  #size: number;
  #lines: number;
  /** Whether a loss of power leaves the file under its name. */
  #isNamed = false;
  /** At so many lines it is tried again to write it anew. */
  #nextTry = 0;
  #waiting: Waiting[] = [];
  /** Files that are gone, which could not be said yet: there was no room for it. */
  #unsaid = "";
  #writing: Promise<void> | undefined;

  private constructor(path: string, { handle, size, lines }: Opened, entries: Map<DataUrl, Entry>) {
    this.#path = path;
    this.#handle = handle;
    this.#size = size;
    this.#lines = lines;
    this.#entries = entries;
  }

  /** Reads what there is; a line that the last process did not finish is left out. */
  static async open(
    path: string,
  ): Promise<{ journal: Journal; entries: ReadonlyMap<DataUrl, Entry>; badLines: number }> {
    const { entries, lines, badLines } = await read(path);
    const isTidy = badLines === 0 && !isWordy(lines, entries.size);
    // On a full disk it stays as it is: the node has to start all the same.
    const fresh = isTidy ? undefined : await writeAnew(path, entries).catch(noneIfFull);
    const journal = new Journal(path, fresh ?? (await openAsItIs(path, lines)), entries);
    if (badLines > 0 && (await isTorn(path))) await journal.#append("\n").catch(unlessFull);
    return { journal, entries, badLines };
  }

  /** What rejects is not in the journal. */
  keep(entry: Entry): Promise<void> {
    return this.#append(lineOf(entry), () => this.#entries.set(entry.replica.url, entry));
  }

  /** Where there is no room for the line, it is written before the next one that has: the file is gone in any case. */
  async drop(url: DataUrl): Promise<void> {
    const line = `${JSON.stringify({ url, gone: true })}\n`;
    const forget = (): void => void this.#entries.delete(url);
    await this.#append(line, forget).catch((error: unknown) => {
      unlessFull(error);
      forget();
      this.#unsaid += line;
    });
  }

  async close(): Promise<void> {
    if (this.#unsaid !== "") await this.#append("").catch(() => {});
    await this.#writing;
    await this.#handle.close();
  }

  #append(text: string, onSaid: () => void = () => {}): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, onSaid, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** What is asked for while the disk is busy goes there in one piece. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#put(this.#unsaid + batch.map(({ text }) => text).join(""));
        this.#unsaid = "";
        for (const { onSaid, resolve } of batch) {
          onSaid();
          resolve();
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      await this.#tidyUp();
    }
    this.#writing = undefined;
  }

  /** All of it, or nothing: what a full disk took a part of would spoil the next line. */
  async #put(text: string): Promise<void> {
    try {
      await this.#handle.appendFile(text);
      await this.#handle.datasync();
      if (!this.#isNamed) await syncFolder(dirname(this.#path));
      this.#isNamed = true;
      this.#size += Buffer.byteLength(text);
      this.#lines += text.split("\n").length - 1;
    } catch (error) {
      await this.#handle.truncate(this.#size);
      throw error;
    }
  }

  /** Nobody waits for it: what cannot be written anew just now is as good as it was. */
  async #tidyUp(): Promise<void> {
    if (this.#lines < this.#nextTry || !isWordy(this.#lines, this.#entries.size)) return;
    const fresh = await writeAnew(this.#path, this.#entries).catch(() => undefined);
    if (fresh === undefined) {
      this.#nextTry = this.#lines + FEW_DEAD_LINES;
      return;
    }
    const old = this.#handle;
    this.#handle = fresh.handle;
    this.#size = fresh.size;
    this.#lines = fresh.lines;
    this.#isNamed = false;
    await old.close().catch(() => {});
  }
}

interface Opened {
  readonly handle: FileHandle;
  readonly size: number;
  readonly lines: number;
}

function isWordy(lines: number, entries: number): boolean {
  return lines - entries > Math.max(FEW_DEAD_LINES, entries);
}

function noneIfFull(error: unknown): undefined {
  unlessFull(error);
}

async function read(
  path: string,
): Promise<{ entries: Map<DataUrl, Entry>; lines: number; badLines: number }> {
  const entries = new Map<DataUrl, Entry>();
  let lines = 0;
  let badLines = 0;
  await (await open(path, "a", 0o600)).close();
  const input = createReadStream(path, { encoding: "utf8" });
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    lines += 1;
    const line = parseLine(text);
    if (line === undefined) badLines += 1;
    else if (line.type === "gone") entries.delete(line.url);
    else entries.set(line.entry.replica.url, line.entry);
  }
  // A whole line without its end is as good as any, but the next one must not be written behind it.
  return { entries, lines, badLines: (await isTorn(path)) ? Math.max(1, badLines) : badLines };
}

/** Whether the last line has no end. */
async function isTorn(path: string): Promise<boolean> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    return size > 0 && buffer[0] !== 0x0a;
  } finally {
    await handle.close();
  }
}

async function openAsItIs(path: string, lines: number): Promise<Opened> {
  const handle = await open(path, "a", 0o600);
  return { handle, size: (await handle.stat()).size, lines };
}

/** Gives a file with these entries the name; until the folder is synced, a loss of power may give it back to the old one. */
async function writeAnew(path: string, entries: ReadonlyMap<DataUrl, Entry>): Promise<Opened> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, "ax", 0o600);
  let lines = 0;
  try {
    let text = "";
    for (const entry of entries.values()) {
      text += lineOf(entry);
      lines += 1;
      if (text.length < 1024 * 1024) continue;
      await handle.appendFile(text);
      text = "";
    }
    await handle.appendFile(text);
    await handle.datasync();
    const { size } = await handle.stat();
    await rename(temporary, path);
    return { handle, size, lines };
  } catch (error) {
    await handle.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

function lineOf({ replica, mtimeMs, ctimeMs }: Entry): string {
  return `${JSON.stringify({ ...replica, mtimeMs, ctimeMs })}\n`;
}

function parseLine(line: string): Line | undefined {
  try {
    const fields = JSON.parse(line) as Record<string, unknown>;
    const url = parseDataUrl(fields["url"]);
    if (fields["gone"] === true) return { type: "gone", url };
    const [size, createdAtMs] = [wholeNumber(fields["size"]), number(fields["createdAtMs"])];
    const codec = fields["codec"] === null ? null : textOf(fields["codec"]);
    const [sha256, type] = [parseSha256(fields["sha256"]), parseDataType(fields["type"])];
    const [mtimeMs, ctimeMs] = [number(fields["mtimeMs"]), number(fields["ctimeMs"])];
    return {
      type: "kept",
      entry: { replica: { url, size, sha256, codec, type, createdAtMs }, mtimeMs, ctimeMs },
    };
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError("not a text");
}

function number(value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw new TypeError("not a number");
}

function wholeNumber(value: unknown): number {
  if (Number.isSafeInteger(value)) return number(value);
  throw new TypeError("not a whole number");
}
