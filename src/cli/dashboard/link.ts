import { dashboardLink } from "../../client/dashboard-link.ts";
import { Http } from "../../client/http.ts";
import { findToken } from "../../client/token.ts";
import { KitchenError } from "../../core/errors.ts";

/** `kitchensink dashboard`. @throws KitchenError `KS_USAGE`, `KS_UNAVAILABLE`, `KS_UNAUTHORIZED` */
export async function printLink(url: string): Promise<void> {
  if (!URL.canParse(url))
    throw new KitchenError("KS_USAGE", `Not the address of a node: ${JSON.stringify(url)}`);
  const place = new URL(url);
  const http = new Http(place, findToken(place));
  try {
    const answer = await http.fetchJson({
      method: "POST",
      path: "/v1/login-codes",
      type: "application/json",
    });
    process.stdout.write(`${dashboardLink(place, codeIn(answer)).href}\n`);
  } finally {
    http.close();
  }
}

function codeIn(answer: unknown): string | null {
  if (typeof answer === "object" && answer !== null && "code" in answer) {
    if (answer.code === null || typeof answer.code === "string") return answer.code;
  }
  throw new KitchenError("KS_UNAVAILABLE", "The node's answer has no code: is it of another release?");
}
