import type { FastifyReply } from "fastify";
import { KitchenError, isErrorCode, type ErrorCode, messageOf } from "../../core/errors.ts";

/** RFC 9457: what every error of the HTTP interface looks like. */
export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** One of `docs/errors.md`; absent for what a function threw. */
  readonly code?: ErrorCode;
  /** The function's own stack, for what a function threw. */
  readonly stack?: string;
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  KS_ARBITRARY_BANNED: 403,
  KS_BAD_REQUEST: 400,
  KS_BUSY: 429,
  KS_CANNOT_DECODE: 400,
  KS_CONFLICT: 409,
  KS_DATA_EXISTS: 409,
  KS_DATA_LOST: 410,
  KS_DATA_TOO_FAR: 409,
  KS_DATA_UNAVAILABLE: 503,
  KS_FORBIDDEN: 403,
  KS_INVALID_ARGUMENTS: 422,
  KS_NO_SUCH_DATA: 404,
  KS_NO_SUCH_JOB: 404,
  KS_TIMEOUT: 504,
  KS_TOO_LARGE: 413,
  KS_UNAUTHORIZED: 401,
  KS_UNAVAILABLE: 503,
  KS_UNKNOWN_CODEC: 400,
  KS_UNKNOWN_FUNCTION: 404,
  KS_UNSUPPORTED: 415,
  KS_USAGE: 400,
  KS_WORKER_LOST: 502,
};

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not found",
  409: "Conflict",
  410: "Gone",
  413: "Too large",
  415: "Unsupported media type",
  422: "Arguments do not fit",
  429: "Too many requests",
  502: "Worker lost",
  503: "Unavailable",
  504: "Deadline passed",
};

export function statusOf(code: string | null): number {
  return (isErrorCode(code) ? STATUS[code] : undefined) ?? 500;
}

export function titleOf(status: number): string {
  return TITLES[status] ?? "Error";
}

/** Answers with a problem. As bytes, because its media type has no charset. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.status === 401) void reply.header("www-authenticate", "Bearer");
  if (problem.status === 503 || problem.status === 429) void reply.header("retry-after", "1");
  return reply
    .code(problem.status)
    .type("application/problem+json")
    .send(Buffer.from(JSON.stringify(problem)));
}

/** Any error as a problem. What is not ours is a defect, or the HTTP layer's own refusal. */
export function problemOf(error: unknown): Problem {
  if (error instanceof KitchenError) {
    const status = statusOf(error.code);
    return { type: "about:blank", title: titleOf(status), status, detail: error.message, code: error.code };
  }
  const { status, code } = fromHttpLayer(error);
  const said = messageOf(error);
  return { type: "about:blank", title: titleOf(status), status, detail: LAYER_DETAILS[status] ?? said, code };
}

/** What the HTTP layer refuses by itself, said in full. */
const LAYER_DETAILS: Readonly<Record<number, string>> = {
  413: "Cannot take the request: its body is over the limit of 64 MiB; send less at once, or put the data where the workers can read it",
  415: "Cannot take the request: its body is neither application/json nor application/vnd.kitchensink (nor, to save data, application/octet-stream); set the content-type header",
};

function fromHttpLayer(error: unknown): { status: number; code: ErrorCode } {
  const status =
    typeof error === "object" &&
    error !== null &&
    "statusCode" in error &&
    typeof error.statusCode === "number"
      ? error.statusCode
      : 500;
  if (status === 413) return { status, code: "KS_TOO_LARGE" };
  if (status === 415) return { status, code: "KS_UNSUPPORTED" };
  return status >= 400 && status < 500
    ? { status, code: "KS_BAD_REQUEST" }
    : { status: 500, code: "KS_INTERNAL" };
}
