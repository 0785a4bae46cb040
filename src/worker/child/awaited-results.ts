import { revive } from "../../capture/revive.ts";
import { isData } from "../../capture/wire/is-data.ts";
import { CLOSURE_CODEC, codecNamed } from "../../codec/codec.ts";
import { parseOutcome } from "../../codec/wire.ts";
import type { DataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";

export interface ResultReader {
  /** Whether values may bring code along. */
  readonly mayReviveCode: boolean;
  /** The bytes of a result that is data of the cluster. */
  readonly read: (url: DataUrl) => Promise<Uint8Array>;
}

/** What the jobs returned that a run was given the outcomes of. @throws KitchenError with what stands in the way */
export async function awaitedResults(
  ids: readonly JobId[],
  outcomes: readonly Uint8Array[],
  reader: ResultReader,
): Promise<ReadonlyMap<JobId, unknown>> {
  const rows = ids.map(async (id, at) => [id, await resultOf(id, outcomes[at], reader)] as const);
  return new Map(await Promise.all(rows));
}

async function resultOf(id: JobId, bytes: Uint8Array | undefined, reader: ResultReader): Promise<unknown> {
  const outcome = bytes === undefined ? undefined : parseOutcome(bytes);
  switch (outcome?.type) {
    case "value":
      return decoded(outcome.codec, outcome.bytes, id, reader);
    case "stored":
      if (outcome.isEnded) throw isStream(id);
      return decoded(outcome.codec, await reader.read(outcome.url), id, reader);
    case "ended":
      throw isStream(id);
    default:
      throw new KitchenError("KS_BAD_REQUEST", `The result of the job ${id} did not come with the run`);
  }
}

function decoded(codec: string, bytes: Uint8Array, id: JobId, { mayReviveCode }: ResultReader): unknown {
  if (codec !== CLOSURE_CODEC) return codecNamed(codec).decode(bytes);
  if (mayReviveCode || isData(bytes)) return revive(bytes);
  throw new KitchenError(
    "KS_ARBITRARY_BANNED",
    `The result of the job ${id} holds more than plain data, which is banned in the namespace of this call: have it return data`,
  );
}

function isStream(id: JobId): KitchenError {
  return new KitchenError(
    "KS_USAGE",
    `Cannot pass the result of the job ${id} on: it is a generator, whose items are read once (have the job return them all, or save them as RemoteData)`,
  );
}
