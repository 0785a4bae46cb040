import { hash } from "node:crypto";

/** Stands for a job's spec when the spec itself is gone: sha256 in 44 characters. */
export function fingerprint(spec: Uint8Array): string {
  return hash("sha256", spec, "base64");
}
