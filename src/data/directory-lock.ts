import { randomUUID } from "node:crypto";
import { constants, readFileSync, readlinkSync } from "node:fs";
import { copyFile, link, lstat, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { KitchenError } from "../core/errors.ts";

/** Who holds a data directory. */
interface Holder {
  readonly pid: number;
  /** When the process began, by its machine's count: a pid is given again, a pid with its start is not. */
  readonly startedAt: string;
  /** Where the pid means something. */
  readonly machine: string;
  /** Tells two holds of one process apart. */
  readonly id: string;
}

/** A holder whose pid means nothing here (another machine or container) shows by it that it lives. */
const BEAT_MS = 5_000;
const DEAD_AFTER_MS = 15_000;
/** Clocks of machines differ, but not by so much. */
const SURELY_DEAD_AFTER_MS: number = 10 * 60 * 1000;
const LOOK_AGAIN_MS = 1_000;

export interface LockOptions {
  /** The lock's file. */
  readonly path: string;
  /** As messages name what is locked. */
  readonly directory: string;
  readonly warn: (message: string) => void;
}

/** Keeps two processes from one data directory, as long as both live. What a killed one held is taken over. */
export class DirectoryLock {
  readonly #path: string;
  readonly #holder: Holder;
  readonly #timer: NodeJS.Timeout;

  private constructor(path: string, holder: Holder) {
    this.#path = path;
    this.#holder = holder;
    this.#timer = setInterval(() => void this.#beat(), BEAT_MS);
    this.#timer.unref();
  }

  /** @throws KitchenError `KS_CONFLICT` when a living process has it */
  static async take(options: LockOptions): Promise<DirectoryLock> {
    const { path } = options;
    const holder = self();
    const own = `${path}.${holder.id}`;
    await writeFile(own, JSON.stringify(holder), { flag: "wx", mode: 0o600 });
    try {
      while (!(await isTaken(own, holder, options)));
    } finally {
      await rm(own, { force: true });
    }
    return new DirectoryLock(path, holder);
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    const holder = await readHolder(this.#path);
    if (holder?.id === this.#holder.id) await rm(this.#path, { force: true });
  }

  async #beat(): Promise<void> {
    const now = new Date();
    await utimes(this.#path, now, now).catch(() => {});
  }
}

async function isLinked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // A file system without hard links.
    if (code === "EPERM" || code === "ENOTSUP") return isCopied(own, path);
    throw error;
  }
}

async function isCopied(own: string, path: string): Promise<boolean> {
  return copyFile(own, path, constants.COPYFILE_EXCL).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    },
  );
}

interface Link {
  readonly file: string;
  readonly holder: Holder;
}

/**
 * Tries once to take the lock, or to succeed a dead holder; false: somebody else was faster, look again. link() is what
 * makes one of several win, as it never replaces.
 *
 * The successor of a holder is whoever has the file named after that holder. It puts its own holder into the lock before it
 * removes that file. So who finds the file free afterwards, because it looked at the lock before, sees that the lock does
 * not lead to its own file.
 */
async function isTaken(own: string, holder: Holder, options: LockOptions): Promise<boolean> {
  const { path, directory } = options;
  const line = await lineOf(path);
  const last = line.at(-1);
  if (last === undefined) return await isLinked(own, path);
  if (await isLiving(last, options)) throw held(directory, last.holder);
  const file = successorOf(path, last.holder);
  if (!(await isLinked(own, file))) return false;
  const isNext = (await lineOf(path)).at(-1)?.holder.id === holder.id;
  if (isNext) await rename(own, path);
  for (const each of isNext ? [...line.slice(1).map((before) => before.file), file] : [file])
    await rm(each, { force: true });
  return isNext;
}

/** The holder of the lock, and those who succeeded each other since: the last one holds it. */
async function lineOf(path: string): Promise<Link[]> {
  const line: Link[] = [];
  for (let file = path; !line.some((before) => before.file === file);) {
    const holder = await readHolder(file);
    if (holder === undefined) break;
    line.push({ file, holder });
    file = successorOf(path, holder);
  }
  return line;
}

function successorOf(path: string, { id }: Holder): string {
  return `${path}.after-${id}`;
}

async function readHolder(path: string): Promise<Holder | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return undefined;
  }
  try {
    const fields = JSON.parse(text) as Record<string, unknown>;
    const { pid, startedAt, machine, id } = fields;
    if (typeof pid === "number")
      return { pid, startedAt: String(startedAt), machine: String(machine), id: String(id) };
  } catch {
    // Not ours, or cut short by a loss of power.
  }
  return { pid: 0, startedAt: "", machine: "", id: "" };
}

async function isLiving({ file, holder }: Link, { directory, warn }: LockOptions): Promise<boolean> {
  if (holder.pid === 0) return false;
  if (holder.machine === thisMachine()) return isRunning(holder);
  const beat = await beatOf(file);
  if (beat === undefined || Math.abs(Date.now() - beat) > SURELY_DEAD_AFTER_MS) return false;
  warn(
    `${directory} was held by a process of another machine (${holder.machine}): looking whether it still lives`,
  );
  for (let waitedMs = 0; waitedMs < DEAD_AFTER_MS; waitedMs += LOOK_AGAIN_MS) {
    await sleep(LOOK_AGAIN_MS);
    const next = await beatOf(file);
    if (next === undefined) return false;
    if (next !== beat) return true;
  }
  return false;
}

/** When the holder last showed that it lives, by the clock of whoever keeps the files. */
async function beatOf(path: string): Promise<number | undefined> {
  return lstat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

function isRunning({ pid, startedAt }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const start = startOf(pid);
  return start !== "ended" && (start === "" || startedAt === "" || start === startedAt);
}

function self(): Holder {
  return { pid: process.pid, startedAt: startOf(process.pid), machine: thisMachine(), id: randomUUID() };
}

/** In ticks since the machine began, from /proc; empty where there is none. A process that nobody has buried is `ended`. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command's name may have spaces and brackets; what follows it has not.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "ended" : (fields[19] ?? "");
  } catch {
    return "";
  }
}

/** One boot of one machine, and there one space of pids: a container has its own. */
function thisMachine(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${hostname()} ${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

function held(directory: string, { pid }: Holder): KitchenError {
  return new KitchenError(
    "KS_CONFLICT",
    `Cannot use the data directory ${directory}: process ${pid} uses it (stop that node, or give this one another --datadir)`,
  );
}
