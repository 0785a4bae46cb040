import type { Client } from "../../client/client.ts";
import { KitchenError } from "../../core/errors.ts";
import type { FunctionInfo } from "../../core/messages.ts";
import { printable } from "../../core/printable.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, note, type SessionFlags } from "../session.ts";
import { Table } from "../table.ts";

interface FunctionsRequest extends SessionFlags {
  readonly namespace: string | undefined;
}

/** `kitchensink functions`: of one namespace, or of all. */
export async function listFunctions(request: FunctionsRequest): Promise<void> {
  const { namespace, url } = request;
  await inSession(request, async ({ client, tell }) => {
    const found = namespace === undefined ? await allOf(client) : await client.functions(namespace);
    const table = new Table(["FUNCTION", "WHAT IT DOES"]);
    if (found.length > 0) await tell(table.text(found.map(rowOf)), found);
    else note(`No functions are registered at ${url} (kitchensink start --module FILE registers some)`);
    return EXIT.done;
  });
}

/** A node tells of its own functions; of what only others have, who has it. */
async function allOf(client: Client): Promise<FunctionInfo[]> {
  const nodes = await client.nodes();
  const namespaces = new Set(nodes.flatMap((node) => node.namespaces));
  const found: FunctionInfo[] = [];
  for (const namespace of [...namespaces].toSorted()) {
    const functions = await client.functions(namespace).catch((error: unknown) => {
      if (error instanceof KitchenError && error.code === "KS_UNKNOWN_FUNCTION") return undefined;
      throw error;
    });
    const owner = nodes.find((node) => node.namespaces.includes(namespace));
    if (functions !== undefined) found.push(...functions);
    else note(`The namespace ${namespace} is on other nodes alone (--url ${owner?.url} lists it)`);
  }
  return found;
}

function rowOf({ namespace, name, parameters, doc }: FunctionInfo): string[] {
  const [firstLine = ""] = doc.split("\n");
  return [printable(`${namespace}.${name}(${parameters.replace(/\s+/g, " ")})`), printable(firstLine)];
}
