import { type ErrorCode, KitchenError } from "../core/errors.ts";

/** What all commands end with. They never change; `docs/operations.md` is checked against this table by a test. */
export const EXIT = {
  done: 0,
  /** In a way that has no number of its own, or for some of what was asked. */
  failed: 1,
  usage: 2,
  jobFailed: 3,
  cancelled: 4,
  notFound: 5,
  unreachable: 6,
  refused: 7,
  // What shells make of signals: 128 and the signal's number.
  hangup: 129,
  interrupted: 130,
  brokenPipe: 141,
  terminated: 143,
} as const;

const BY_CODE: Partial<Readonly<Record<ErrorCode, number>>> = {
  KS_USAGE: EXIT.usage,
  KS_CANNOT_ENCODE: EXIT.jobFailed,
  KS_INVALID_ARGUMENTS: EXIT.jobFailed,
  KS_MODULE_FAILED: EXIT.jobFailed,
  KS_STATE_LOST: EXIT.jobFailed,
  KS_TIMEOUT: EXIT.jobFailed,
  KS_WORKER_LOST: EXIT.jobFailed,
  KS_CANCELLED: EXIT.cancelled,
  KS_NO_SUCH_DATA: EXIT.notFound,
  KS_NO_SUCH_JOB: EXIT.notFound,
  KS_UNKNOWN_FUNCTION: EXIT.notFound,
  KS_CONNECTION_LOST: EXIT.unreachable,
  KS_UNAVAILABLE: EXIT.unreachable,
  KS_FORBIDDEN: EXIT.refused,
  KS_UNAUTHORIZED: EXIT.refused,
};

/** What a command ends with that `error` ended. `otherwise`: for errors that have no number of their own. */
export function exitCodeOf(error: unknown, otherwise: number = EXIT.failed): number {
  return (error instanceof KitchenError ? BY_CODE[error.code] : undefined) ?? otherwise;
}
