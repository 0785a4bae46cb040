import type { Arbitrary } from "fast-check";
import type { ErrorCode } from "../../../src/core/errors.ts";
import type { Recordings } from "./recordings.ts";

/** Something that reads bytes from outside, and how it may refuse them. */
export interface Target {
  readonly name: string;
  /** The codes of a KitchenError by which it may refuse; `Error`: a plain one, whose message is a reason. */
  readonly refusals: readonly (ErrorCode | "Error")[];
  /** How many inputs it is given when nobody says. Default: 100,000. */
  readonly inputs?: number;
  /** How long an input may take. Default: 5,000, which is much more than any parser needs. */
  readonly mostMs?: number;
  /** What is changed a little. */
  readonly recordings: (recordings: Recordings) => readonly Uint8Array[];
  /** What is made up. */
  readonly made?: Arbitrary<Uint8Array>;
  /** Reads an input. What it throws is judged; what it gives is let go. */
  readonly read: (input: Buffer) => unknown;
  /** Starts what `read` needs; gives what ends it, and throws when something is wrong by then. */
  readonly open?: (recordings: Recordings) => Promise<() => Promise<void>>;
}
