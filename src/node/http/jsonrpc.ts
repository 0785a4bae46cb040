/** The messages of JSON-RPC 2.0 (https://www.jsonrpc.org/specification): read, and written as bytes. */
import { isErrorCode } from "../../core/errors.ts";
import type { NamespaceInfo, WireError } from "../../core/messages.ts";
import type { RegisteredCall } from "./registered-call.ts";

export type RequestId = string | number | null;

export type RpcRequest =
  | {
      /** `undefined`: a notification, which gets no answer. */
      readonly id: RequestId | undefined;
      readonly method: string;
      /** An array or an object as JSON; empty when there are none. */
      readonly params: Uint8Array;
    }
  /** What is no request, and why. */
  | { readonly id: RequestId; readonly refusal: string };

/** How many requests a batch may have. */
export const BATCH_LIMIT = 1_000;

export const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
const METHOD_NOT_FOUND = -32_601;
const INVALID_PARAMS = -32_602;
const INTERNAL_ERROR = -32_603;
/** The function threw, or its call came to nothing: `data` says which. */
const APPLICATION_ERROR = -32_000;

const STANDARD_CODES: Readonly<Record<string, number>> = {
  KS_UNKNOWN_FUNCTION: METHOD_NOT_FOUND,
  KS_INVALID_ARGUMENTS: INVALID_PARAMS,
  KS_INTERNAL: INTERNAL_ERROR,
};

/** One request of a body. */
export function parseRequest(value: unknown): RpcRequest {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { id: null, refusal: "it is not an object" };
  const { jsonrpc, id, method, params }: Readonly<Record<string, unknown>> = { ...value };
  if (id !== undefined && !isId(id))
    return { id: null, refusal: "its id is neither text, nor null, nor a number that is kept exactly" };
  const asked = { id: id ?? null };
  if (jsonrpc !== "2.0") return { ...asked, refusal: 'it has no "jsonrpc": "2.0"' };
  if (typeof method !== "string") return { ...asked, refusal: "its method is not text" };
  if (params === undefined) return { id, method, params: new Uint8Array() };
  if (typeof params !== "object" || params === null)
    return { ...asked, refusal: "its params are neither an array nor an object" };
  return { id, method, params: Buffer.from(JSON.stringify(params)) };
}

/** A whole number that JSON.parse rounded would be the id of another request. */
function isId(value: unknown): value is RequestId {
  if (typeof value === "number") return !Number.isInteger(value) || Number.isSafeInteger(value);
  return value === null || typeof value === "string";
}

/**
 * The function that a method means: `namespace.function`, or a function of the namespace `default`. Both kinds of names
 * may have dots, so what is registered decides where to cut. What is not registered is for a worker to refuse.
 */
export function functionOf(
  method: string,
  namespaces: readonly NamespaceInfo[],
): Pick<RegisteredCall, "namespace" | "name"> {
  const plain = { namespace: "default", name: method };
  if (namespaces.some(({ name, functions }) => name === "default" && functions.includes(method)))
    return plain;
  const meant = namespaces
    .filter(({ name }) => method.startsWith(`${name}.`))
    .map(({ name, functions }) => ({ namespace: name, name: method.slice(name.length + 1), functions }))
    .filter(({ name, functions }) => functions.includes(name))
    .toSorted((a, b) => a.namespace.length - b.namespace.length)[0];
  if (meant !== undefined) return { namespace: meant.namespace, name: meant.name };
  const dot = method.indexOf(".");
  return dot < 0 ? plain : { namespace: method.slice(0, dot), name: method.slice(dot + 1) };
}

/** `result` is JSON, or empty where the function returned nothing. */
export function encodeResult(id: RequestId, result: Uint8Array): Buffer {
  const head = Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`);
  return Buffer.concat([head, result.length === 0 ? Buffer.from("null") : result, Buffer.from("}")]);
}

/** The answer to a call that came to an error: only what a function threw has a stack. */
export function encodeError(
  id: RequestId,
  { name, message, code, stack }: Omit<WireError, "detail" | "source">,
): Buffer {
  const data = { code, name, ...(isErrorCode(code) ? {} : { stack }) };
  return encodeFault(id, { code: STANDARD_CODES[code ?? ""] ?? APPLICATION_ERROR, message, data });
}

export function encodeRefusal(id: RequestId, refusal: string): Buffer {
  return encodeFault(id, { code: INVALID_REQUEST, message: `Not a request: ${refusal}` });
}

export function encodeFault(
  id: RequestId,
  error: { readonly code: number; readonly message: string; readonly data?: object },
): Buffer {
  return Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, error }));
}
