import type { Progress } from "../../core/progress.ts";

/** Progress as one word, which `lua/shared/attempts.lua` keeps in an entry. */
export function progressWord(progress: Progress): string {
  return Buffer.from(JSON.stringify(progress)).toString("base64url");
}

export function parseProgressWord(word: string): Progress {
  return JSON.parse(Buffer.from(word, "base64url").toString()) as Progress;
}
