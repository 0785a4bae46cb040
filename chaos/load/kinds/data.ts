// Data that is saved, read where it lies and elsewhere, copied, and deleted.
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RemoteData } from "kitchensink";
import { begin } from "../mark.ts";
import { codeOf, type Caller, type Kind } from "../caller.ts";

const MOST_BYTES = 300_000;
/** What passes: nodes and ways that are away for a while. */
const AWAY = ["KS_UNAVAILABLE", "KS_DATA_UNAVAILABLE", "KS_CONNECTION_LOST"];

async function data(caller: Caller): Promise<void> {
  const { dice, client } = caller;
  const bytes = randomBytes(dice.whole(0, MOST_BYTES));
  const sha256 = hashOf(bytes);
  const url = `chaos/${bytes.length}/${sha256}`;
  const saved = new RemoteData({ raw: bytes, client });
  if (!(await passes(caller, "saved", () => saved.save({ url })))) return;
  caller.options.journal.write({ type: "saved", url, sha256 });
  const pointer = new RemoteData({ dataUrl: url, client });
  readInJob(caller, pointer, sha256);
  if (dice.chance(0.5)) await passes(caller, "copied", () => pointer.pipeline());
  await sleep(dice.whole(0, 3_000));
  await passes(caller, "read", async () => {
    const found = hashOf(await pointer.raw());
    if (found !== sha256) caller.wrong("data", url, `its bytes hash to ${found}`);
  });
  if (dice.chance(0.8)) await remove(caller, pointer, url);
}

/** A job that is given the pointer, and reads the bytes where it runs. It may be too late for them. */
function readInJob(caller: Caller, pointer: RemoteData, sha256: string): void {
  const { log, client } = caller;
  const job = client.call(async (given: RemoteData) => {
    const mark = begin(log);
    return { mark, value: hashOf(await given.raw()) };
  }, pointer);
  caller.follow(job, { value: sha256, codes: [...AWAY, "KS_NO_SUCH_DATA"] });
}

/** Where an answer was lost, and the request sent once more, it is gone already. */
async function remove(caller: Caller, pointer: RemoteData, url: string): Promise<void> {
  const { journal } = caller.options;
  journal.write({ type: "deleting", url });
  const deletes = (): Promise<unknown> =>
    pointer.delete().catch((error: unknown) => {
      if (codeOf(error) !== "KS_NO_SUCH_DATA") throw error;
    });
  if (await passes(caller, "deleted", deletes)) journal.write({ type: "deleted", url });
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Whether it was done; if not, for a reason that passes. */
async function passes(caller: Caller, what: string, act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    caller.count(`data ${what}`);
    return true;
  } catch (error) {
    const code = codeOf(error);
    caller.count(`data not ${what}: ${code ?? String(error)}`);
    if (code === undefined || !AWAY.includes(code))
      caller.wrong("data", what, error instanceof Error ? `${error.stack}` : String(error));
    return false;
  }
}

export const DATA: readonly Kind[] = [{ name: "data", weight: 15, begin: data }];
