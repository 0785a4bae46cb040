/** What is known of stored data, whoever keeps it. */
import type { DataUrl } from "./data-url.ts";
import { KitchenError } from "./errors.ts";

/** `object`: a value that a codec turned into bytes. `file`: bytes as they are. */
export type DataType = "object" | "file";

/** What never changes of the data behind a url. */
export interface DataFacts {
  /** The name it is saved under. */
  readonly url: DataUrl;
  /** In bytes. */
  readonly size: number;
  /** Of its bytes. */
  readonly sha256: Sha256;
  /** What turns the bytes into an object; `null`: nothing does. */
  readonly codec: string | null;
  /** Whether it is an object or a file. */
  readonly type: DataType;
}

/** sha256 of a file's bytes: 64 hexadecimal digits in lower case. */
export type Sha256 = string & { readonly __brand: "Sha256" };

const SHA256 = /^[0-9a-f]{64}$/;

/** Reads a sha256. @throws KitchenError `KS_BAD_REQUEST` */
export function parseSha256(text: unknown): Sha256 {
  if (typeof text === "string" && SHA256.test(text)) return text as Sha256;
  throw new KitchenError("KS_BAD_REQUEST", "Not a sha256: expected 64 hexadecimal digits in lower case");
}

/** Reads a type of data. @throws KitchenError `KS_BAD_REQUEST` */
export function parseDataType(text: unknown): DataType {
  if (text === "object" || text === "file") return text;
  throw new KitchenError("KS_BAD_REQUEST", 'Not a type of data: expected "object" or "file"');
}

/** Whether two are the same data: what is saved twice under one url must be. */
export function isSameData(a: DataFacts, b: DataFacts): boolean {
  return a.size === b.size && a.sha256 === b.sha256 && a.codec === b.codec && a.type === b.type;
}
