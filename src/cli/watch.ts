import { setTimeout as pause } from "node:timers/promises";
import { EXIT } from "./exit-codes.ts";
import type { Session } from "./session.ts";

/** What there is to see, for people and for programs. */
export interface View {
  readonly text: string;
  readonly objects: readonly object[];
}

const USUAL_COLUMNS = 80;
const USUAL_ROWS = 24;
const EVERY_MS = 1_000;
const ESCAPE = "\u001b";
const ENTER_SCREEN = `${ESCAPE}[?1049h${ESCAPE}[?25l`;
const LEAVE_SCREEN = `${ESCAPE}[?25h${ESCAPE}[?1049l`;
const LEAVING_KEYS: ReadonlySet<string> = new Set(["q", "Q", ESCAPE]);
const CTRL_C = "\u0003";

/**
 * Shows what `look` sees, every second: on a terminal in place, until q is pressed; elsewhere one behind the other. Gives
 * the exit code.
 */
export async function watch(look: () => Promise<View>, { tell, signal }: Session): Promise<number> {
  const { stdout, stdin } = process;
  if (!stdout.isTTY || !stdin.isTTY)
    for (;;) {
      const { text, objects } = await look();
      await tell(`${text}\n`, objects);
      await pause(EVERY_MS, undefined, { signal });
    }
  const leaving = new AbortController();
  const hear = (keys: Buffer): void => {
    const key = keys.toString();
    if (key === CTRL_C) process.kill(process.pid, "SIGINT");
    else if (LEAVING_KEYS.has(key)) leaving.abort();
  };
  const restore = (): void => void stdout.write(LEAVE_SCREEN);
  process.once("exit", restore);
  stdin.setRawMode(true).on("data", hear);
  stdout.write(ENTER_SCREEN);
  try {
    return await redraw(look, AbortSignal.any([signal, leaving.signal]));
  } catch (error) {
    if (!leaving.signal.aborted) throw error;
    return EXIT.done;
  } finally {
    stdin.off("data", hear).setRawMode(false).pause();
    process.off("exit", restore);
    restore();
  }
}

async function redraw(look: () => Promise<View>, signal: AbortSignal): Promise<never> {
  for (;;) {
    const { text } = await look();
    signal.throwIfAborted();
    process.stdout.write(frame(text, process.stdout));
    await pause(EVERY_MS, undefined, { signal });
  }
}

/** As much of it as there is room for, over what was there before. A terminal that does not know its size says 0. */
export function frame(text: string, size: { readonly columns: number; readonly rows: number }): string {
  const [columns, rows] = [size.columns || USUAL_COLUMNS, size.rows || USUAL_ROWS];
  const lines = text.trimEnd().split("\n");
  const shown =
    lines.length < rows ? lines : [...lines.slice(0, rows - 2), `… ${lines.length - rows + 2} more`];
  const body = [...shown, "q leaves"].map((line) => `${line.slice(0, columns - 1)}${ESCAPE}[K`);
  return `${ESCAPE}[H${body.join("\r\n")}${ESCAPE}[J`;
}
