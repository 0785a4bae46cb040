import { Reader } from "../../client/reader.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, note, type SessionFlags } from "../session.ts";

export interface TypesFlags extends SessionFlags {
  readonly namespace?: string;
}

/** `kitchensink types`: a declaration file on stdout. */
export function printTypes({ namespace, ...flags }: TypesFlags): Promise<void> {
  return inSession(flags, async ({ client, http, tell }) => {
    const query = namespace === undefined ? "" : `?namespace=${encodeURIComponent(namespace)}`;
    const answer = await http.fetchJson({ method: "GET", path: `/v1/types${query}` });
    const declarations = new Reader(answer, "answer").text("declarations");
    const head = `// Made by kitchensink types, from ${client.url.origin}\n\n`;
    if (declarations.trim() === "")
      note(`No functions are registered at ${flags.url} (kitchensink start --module FILE registers some)`);
    await tell(head + declarations, [{ declarations }]);
    return EXIT.done;
  });
}
