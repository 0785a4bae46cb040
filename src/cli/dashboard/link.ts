import { dashboardLink } from "../../client/dashboard-link.ts";
import { KitchenError } from "../../core/errors.ts";
import { EXIT } from "../exit-codes.ts";
import { inSession, type SessionFlags } from "../session.ts";

/** `kitchensink dashboard`. @throws KitchenError `KS_USAGE`, `KS_UNAVAILABLE`, `KS_UNAUTHORIZED` */
export function printLink(flags: SessionFlags): Promise<void> {
  return inSession(flags, async ({ client, http, tell }) => {
    const answer = await http.fetchJson({
      method: "POST",
      path: "/v1/login-codes",
      type: "application/json",
    });
    const link = dashboardLink(client.url, codeIn(answer)).href;
    await tell(`${link}\n`, [{ link }]);
    return EXIT.done;
  });
}

function codeIn(answer: unknown): string | null {
  if (typeof answer === "object" && answer !== null && "code" in answer) {
    if (answer.code === null || typeof answer.code === "string") return answer.code;
  }
  throw new KitchenError("KS_UNAVAILABLE", "The node's answer has no code: is it of another release?");
}
