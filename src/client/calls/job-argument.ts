import { pointerKindOf, sharePointers } from "../../capture/resolve/pointers.ts";
import { KitchenError } from "../../core/errors.ts";
import type { JobId } from "../../core/ids.ts";
import type { Job } from "../jobs/job.ts";
// oxlint-disable-next-line import/no-unassigned-import -- tells codecs what pointers are, of which a job is one
import "../remote-data/remote-data.ts";

/** A value, or one in which jobs stand in the places of their results. */
export type WithJobs<T> =
  | T
  | Job<T>
  | (T extends ReadonlyMap<infer Key, infer Value>
      ? ReadonlyMap<Key, WithJobs<Value>>
      : T extends ReadonlySet<infer Item>
        ? ReadonlySet<WithJobs<Item>>
        : T extends readonly unknown[]
          ? { readonly [Place in keyof T]: WithJobs<T[Place]> }
          : T extends (...args: never[]) => unknown
            ? never
            : T extends object
              ? { readonly [Key in keyof T]: WithJobs<T[Key]> }
              : never);

/** A job where none can travel; among arguments, what stands for it can. */
class JobRefusal extends KitchenError {
  constructor(path: string) {
    super(
      "KS_CANNOT_CAPTURE",
      `Cannot send the Job at ${path}: jobs travel among the arguments of calls, in arrays, plain objects, Maps and Sets (pass it there, and the function gets its result; or await it first)`,
    );
  }
}

export function isJobRefusal(error: unknown): boolean {
  return error instanceof JobRefusal;
}

/** The id of a job, of whichever copy of this package; undefined for anything else. */
export function jobIdOf(value: object): JobId | undefined {
  return pointerKindOf(value)?.jobId?.(value) as JobId | undefined;
}

/** Has jobs stopped on their way out, wherever they are found. `prototype` is theirs. */
export function stopJobs(prototype: { readonly id: JobId }): void {
  sharePointers(prototype, {
    target: (_job, path) => {
      throw new JobRefusal(path());
    },
    jobId: (job) => (job as { readonly id: JobId }).id,
  });
}
