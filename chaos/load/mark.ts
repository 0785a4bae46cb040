// Runs in workers: captured with the functions that begin with it, and loaded by the module of registered ones.
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { currentJob } from "kitchensink";
import type { Begun, Mark } from "../journal.ts";

/** Writes down that an attempt has begun, whatever becomes of it. */
export function begin(log: string): Mark {
  const { id, attempt, node } = currentJob();
  const mark = { id, attempt, nonce: randomUUID() };
  const begun: Begun = { ...mark, at: Date.now(), node: node.name, pid: process.pid };
  appendFileSync(log, `${JSON.stringify(begun)}\n`);
  return mark;
}

export interface Marked {
  readonly mark: Mark;
  readonly value: unknown;
}

/** Thrown on purpose. */
export class Thrown extends Error {
  override name = "Thrown";
  readonly mark: Mark;

  constructor(mark: Mark) {
    super(`thrown by attempt ${mark.attempt}`);
    this.mark = mark;
  }
}
