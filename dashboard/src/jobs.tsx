import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Progress as JobProgress } from "../../src/core/progress.ts";
import { duration, shortId, time } from "./format.ts";
import { useAnswer } from "./hooks.ts";
import { Progress } from "./progress.tsx";

export interface JobFacts {
  readonly id: string;
  readonly state: string;
  readonly queue: string;
  readonly label: string;
  readonly priority: number;
  readonly attempt: number;
  readonly deaths: number;
  readonly node?: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  /** While it runs, if it says how far it is. */
  readonly progress?: JobProgress;
}

const EVERY_MS = 2_000;
const STATES = ["all", "queued", "running", "succeeded", "failed", "cancelled"];

export function Jobs(): JSX.Element {
  const [state, setState] = useState("all");
  const [label, setLabel] = useState("");
  const query = new URLSearchParams({
    limit: "200",
    ...(state === "all" ? {} : { state }),
    ...(label === "" ? {} : { label }),
  });
  const { answer, error } = useAnswer<{ jobs: JobFacts[]; silent: string[] }>(
    `/v1/jobs?${query.toString()}`,
    EVERY_MS,
  );
  return (
    <section class="panel wide">
      <div class="bar">
        <h2>Jobs</h2>
        <label>
          State{" "}
          <select value={state} onChange={(event) => setState(event.currentTarget.value)}>
            {STATES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          Name <input type="search" value={label} onInput={(event) => setLabel(event.currentTarget.value)} />
        </label>
      </div>
      {error === undefined ? null : <p class="error">{error.message}</p>}
      {answer?.silent.map((node) => (
        <p key={node}>{node} does not answer: jobs that ended there may be missing.</p>
      ))}
      {answer?.jobs.length === 0 ? <p class="empty">There is no such job.</p> : null}
      {answer === undefined || answer.jobs.length === 0 ? null : <JobTable jobs={answer.jobs} />}
    </section>
  );
}

function JobTable({ jobs }: { readonly jobs: readonly JobFacts[] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Jobs, newest first">
      <table>
        <thead>
          <tr>
            <th>Function</th>
            <th>Job</th>
            <th>State</th>
            <th>Progress</th>
            <th>Queue</th>
            <th>Node</th>
            <th class="number">Attempt</th>
            <th>Submitted</th>
            <th class="number">Waited</th>
            <th class="number">Took</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.id}>
              <td>{job.label}</td>
              <td>
                <a href={`#/jobs/${job.id}`}>{shortId(job.id)}</a>
              </td>
              <td>
                <State state={job.state} />
              </td>
              <td>{job.progress === undefined ? "–" : <Progress progress={job.progress} />}</td>
              <td>{job.queue}</td>
              <td>{job.node ?? "–"}</td>
              <td class="number">{job.attempt}</td>
              <td>{time(job.createdAt)}</td>
              <td class="number">{span(job.createdAt, job.startedAt)}</td>
              <td class="number">{span(job.startedAt, job.finishedAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const SIGNS: Readonly<Record<string, string>> = {
  queued: "…",
  running: "▶",
  succeeded: "✓",
  failed: "✕",
  cancelled: "–",
};

export function State({ state }: { readonly state: string }): JSX.Element {
  return (
    <span class={`state ${state}`}>
      <span aria-hidden="true">{SIGNS[state]}</span> {state}
    </span>
  );
}

/** Between two times of the store, which are whole milliseconds. */
export function span(from: string | undefined, to: string | undefined): string {
  if (from === undefined || to === undefined) return "–";
  const ms = Date.parse(to) - Date.parse(from);
  return ms < 1 ? "< 1 ms" : duration(ms);
}
