import type { NodeName } from "../../core/ids.ts";
import { lostNodeDeath } from "../lost-node.ts";
import type { FinishRow } from "../port.ts";

/** What `lua/finish.lua` takes of a job that goes back to its queue. */
export function givenBackText({
  deaths,
  throws,
  death,
  delayMs = 0,
}: FinishRow & { next: "queued" }): string {
  const word = death === undefined ? "" : ` ${Buffer.from(death).toString("base64url")}`;
  return `${deaths} ${throws} ${Math.ceil(delayMs)}${word}`;
}

/** A line on each death, from what `lua/shared/attempts.lua` keeps of them. */
export function pastDeaths(kept: string): string[] {
  return kept === "-" ? [] : kept.split(",").map(lineOf);
}

function lineOf(word: string): string {
  const [, attempt, node] = /^!(\d+):(.*)$/.exec(word) ?? [];
  if (attempt === undefined) return Buffer.from(word, "base64url").toString();
  return lostNodeDeath(Number(attempt), node as NodeName);
}
