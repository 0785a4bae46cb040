/**
 * Every error this project makes itself, by code: what it means for the caller. `docs/errors.md` is checked
 * against this table by a test.
 */
export const ERROR_CODES = {
  KS_ARBITRARY_BANNED: "captured functions are banned here; registered ones still work",
  KS_BAD_REQUEST: "the request is not of the form that the protocol asks for",
  KS_BUSY: "a limit of the node is reached; try again later",
  KS_CANCELLED: "the job was cancelled",
  KS_CANNOT_CAPTURE: "a function refers to something that cannot travel",
  KS_CANNOT_ENCODE: "a value cannot be carried by the codec in use",
  KS_CANNOT_DECODE: "bytes are not what their codec writes",
  KS_CONFLICT: "it contradicts what is there already",
  KS_CONNECTION_LOST: "the connection to the node broke and could not be made again",
  KS_DATA_EXISTS: "other data is saved under this data url already",
  KS_DATA_LOST: "no replica of the data is left",
  KS_DATA_TOO_FAR: "every node would have to fetch more data than the threshold allows",
  KS_DATA_UNAVAILABLE: "the data is there, but cannot be reached or taken now",
  KS_FORBIDDEN: "the request comes from an address or page that may not call this node",
  KS_INTERNAL: "a defect of Kitchen Sink itself",
  KS_INVALID_ARGUMENTS: "the arguments do not fit the function's schema",
  KS_MODULE_FAILED: "a module of registered functions, or one that came as source, could not be loaded",
  KS_NO_SUCH_DATA: "nothing is saved under this data url",
  KS_NO_SUCH_JOB: "no job has this id, or its result has expired",
  KS_STATE_LOST: "the store no longer holds what this call needs",
  KS_TIMEOUT: "the job ran longer than its deadline, or waited longer than it was worth",
  KS_TOO_LARGE: "the request or a value is over a limit",
  KS_UNAUTHORIZED: "the token is missing or wrong",
  KS_UNAVAILABLE: "the node or its store does not answer",
  KS_UNKNOWN_CODEC: "no codec of this name is registered",
  KS_UNKNOWN_FUNCTION: "no function of this name is registered",
  KS_UNSUPPORTED: "the media type or option is not supported",
  KS_USAGE: "a flag or an option is wrong",
  KS_WORKER_LOST: "the worker that ran the job died",
} as const;

/** What a {@link KitchenError} is about. */
export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * The one error class of this project. The message names what could not be done, then why, then the way out.
 *
 * @example
 * ```ts
 * try {
 *   await job;
 * } catch (error) {
 *   if (error instanceof KitchenError && error.code === "KS_TIMEOUT") console.error("too slow");
 * }
 * ```
 */
export class KitchenError extends Error {
  /** Always `KitchenError`. */
  override readonly name: string = "KitchenError";
  /** For programs; the message is for people. */
  readonly code: ErrorCode;

  /** An error of this code; a function may throw one, and it arrives as what it is. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Tells whether `value` is a code of {@link ERROR_CODES}. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERROR_CODES, value);
}

/** What people read of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
