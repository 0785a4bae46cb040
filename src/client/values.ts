import { revive, type ReviveOptions } from "../capture/revive.ts";
import { CLOSURE_CODEC, codecNamed } from "../codec/codec.ts";
import { parseOutcome } from "../codec/wire.ts";
import { KitchenError } from "../core/errors.ts";
import type { Outcome, StoredOutcome } from "../core/messages.ts";
import { type DataAccess, withAccess } from "./remote-data/data-access.ts";
import { awaitingFrames, errorOf } from "./errors.ts";
import type { End } from "./jobs/tracked-job.ts";

export interface EncodedValue {
  readonly codec: string;
  readonly bytes: Uint8Array;
}

export interface ArrivalOptions extends ReviveOptions {
  /** How RemoteData among the values reaches its data. */
  readonly access?: DataAccess | undefined;
}

/** A value that a worker encoded. @throws KitchenError `KS_CANNOT_DECODE`, `KS_UNKNOWN_CODEC` … */
export function decodeValue({ codec, bytes }: EncodedValue, { realm, access }: ArrivalOptions): unknown {
  return withAccess(access, () =>
    codec === CLOSURE_CODEC ? revive(bytes, { realm }) : codecNamed(codec).decode(bytes),
  );
}

/** What a job came to, with its value here. @throws Error when that cannot be known */
export async function outcomeOf(end: End, access: DataAccess | undefined): Promise<ArrivedOutcome> {
  if (end.type === "failed") throw withFrames(end.error);
  const outcome = parseOutcome(end.outcome);
  return outcome.type === "stored" ? await fetched(outcome, access) : outcome;
}

export type ArrivedOutcome = Exclude<Outcome, StoredOutcome>;

async function fetched(
  { codec, url, isEnded }: StoredOutcome,
  access: DataAccess | undefined,
): Promise<ArrivedOutcome> {
  if (access === undefined) throw new KitchenError("KS_INTERNAL", `Nothing reads the result at ${url}`);
  try {
    const { bytes } = await access.read(url);
    return { type: isEnded ? "ended" : "value", codec, bytes };
  } catch (error) {
    throw withFrames(errorOf(error));
  }
}

/** An error of this client's own, seen from the line that awaits. A fresh one: several may await the same job. */
function withFrames(error: Error): Error {
  if (!(error instanceof KitchenError)) return error;
  const options = Object.hasOwn(error, "cause") ? { cause: error.cause } : undefined;
  const fresh = new KitchenError(error.code, error.message, options);
  fresh.stack = `${error.name}: ${error.message}\n${awaitingFrames()}`;
  return fresh;
}
