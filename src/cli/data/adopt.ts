import { showBytes } from "../../core/show-bytes.ts";
import { printable } from "../../core/printable.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, note, type SessionFlags } from "../session.ts";

export interface AdoptFlags extends SessionFlags {
  readonly node?: string;
}

/** `kitchensink data adopt`: each file is told as soon as it is in. */
export async function adoptFiles(
  flags: AdoptFlags & { readonly patterns: readonly string[] },
): Promise<void> {
  const { node, patterns } = flags;
  await inSession(flags, async ({ data, signal, tell }) => {
    let [adopted, refused] = [0, 0];
    for await (const step of data.access.adopting(patterns, { node, signal }))
      if ("adopted" in step) {
        adopted += 1;
        const { url, size } = step.adopted;
        await tell(`adopted  ${url}  ${showBytes(size)}\n`, [step]);
      } else {
        refused += 1;
        const { path, reason } = step.refused;
        await tell(`refused  ${printable(path)}: ${printable(reason)}\n`, [step]);
      }
    note(adopted + refused === 0 ? NOTHING : `${adopted} adopted, ${refused} refused`);
    return refused === 0 ? EXIT.done : EXIT.failed;
  });
}

const NOTHING =
  "Nothing to adopt: no file in the node's data directory matches that is not in the catalog already";
