import { KitchenError } from "../../core/errors.ts";
import { isJobId, type JobId } from "../../core/ids.ts";

/** The job that a person means. @throws KitchenError `KS_USAGE` for what is no id */
export function findJob(text: string): JobId {
  const id = text.toLowerCase();
  if (isJobId(id)) return id;
  throw new KitchenError("KS_USAGE", `Not a job's id: ${JSON.stringify(text)}`);
}
