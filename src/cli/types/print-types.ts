import { Http } from "../../client/http.ts";
import { Reader } from "../../client/reader.ts";
import { findToken } from "../../client/token.ts";
import { KitchenError } from "../../core/errors.ts";

export interface TypesFlags {
  readonly url: string;
  readonly namespace?: string;
  readonly json: boolean;
}

/** `kitchensink types`: a declaration file on stdout. */
export async function printTypes({ url, namespace, json }: TypesFlags): Promise<void> {
  if (!URL.canParse(url))
    throw new KitchenError("KS_USAGE", `Not the address of a node: ${JSON.stringify(url)}`);
  const place = new URL(url);
  const http = new Http(place, findToken(place));
  try {
    const query = namespace === undefined ? "" : `?namespace=${encodeURIComponent(namespace)}`;
    const answer = await http.fetchJson({ method: "GET", path: `/v1/types${query}` });
    const declarations = new Reader(answer, "answer").text("declarations");
    const head = `// Made by kitchensink types, from ${place.origin}\n\n`;
    process.stdout.write(json ? `${JSON.stringify({ declarations })}\n` : head + declarations);
  } finally {
    http.close();
  }
}
