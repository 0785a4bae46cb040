import { KitchenError } from "../../core/errors.ts";

/** The address of a node. @throws KitchenError `KS_USAGE` for what is none, or comes with more than the place */
export function parseUrl(url: string | URL): URL {
  const parsed = URL.canParse(String(url)) ? new URL(url) : undefined;
  if (parsed !== undefined && isMoreThanPlace(parsed))
    throw new KitchenError(
      "KS_USAGE",
      `Not the address of a node: ${parsed.protocol}//${parsed.host}/ comes with a login or a query, and addresses are shown in messages (pass { token }, or set KITCHENSINK_TOKEN)`,
    );
  if (parsed?.protocol === "http:" || parsed?.protocol === "https:") return parsed;
  throw new KitchenError(
    "KS_USAGE",
    `Not the address of a node: ${JSON.stringify(String(url))} (expected something like http://localhost:6323/)`,
  );
}

function isMoreThanPlace({ username, password, search }: URL): boolean {
  return `${username}${password}${search}` !== "";
}
