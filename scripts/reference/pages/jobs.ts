/**
 * A call on its way, many of them, what they give, and what a function can learn of the job it runs in.
 *
 * @module Jobs
 */
export {
  type Job,
  type JobMap,
  type RemoteItems,
  asCompleted,
  type Completed,
  currentJob,
  type CurrentJob,
  type JobId,
  type JobStatus,
  type JobState,
  type Output,
  type PlacementExplanation,
  type WithJobs,
  type Returned,
  type Gathered,
} from "../../../src/index.ts";
