import { closeSync, openSync } from "node:fs";
import { isatty } from "node:tty";

const STANDARD = [0, 1, 2] as const;

/**
 * Has the process end with its own exit code after its terminal was closed: Node puts terminals back to how it found
 * them, and aborts when one of them is gone.
 */
export function outliveTerminal(): void {
  const terminals = STANDARD.filter((descriptor) => isatty(descriptor));
  process.once("exit", () => {
    for (const descriptor of terminals) if (!isatty(descriptor)) replace(descriptor);
  });
}

/** The lowest free number is given to what is opened, so from the lowest on each gets its own again. */
function replace(descriptor: number): void {
  closeSync(descriptor);
  openSync("/dev/null", "r+");
}
