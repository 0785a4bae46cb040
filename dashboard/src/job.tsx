import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { callRows, type CallSize } from "./call-size.ts";
import { Deaths, Failure, type JobError } from "./failure.tsx";
import { bytes, time } from "./format.ts";
import { useAnswer } from "./hooks.ts";
import { Cancel, Retry } from "./job-actions.tsx";
import { type JobFacts, span, State } from "./jobs.tsx";
import { Progress } from "./progress.tsx";
import { ask, get } from "./session.ts";
import { whenVisible } from "./visible.ts";

interface JobAnswer extends JobFacts {
  readonly result?: unknown;
  readonly resultCodec?: string;
  readonly resultBytes?: number;
  readonly resultUrl?: string;
  readonly error?: JobError;
  readonly pastDeaths: readonly string[];
}

interface Placement {
  readonly node: string | null;
  readonly why: string;
  readonly inputs: readonly {
    readonly url: string;
    readonly size: number;
    readonly replicas: readonly string[];
  }[];
}

const EVERY_MS = 1_000;
/** Of a job's output; the beginning goes first. */
const MOST_SHOWN = 200_000;

const isOver = ({ state }: JobFacts): boolean => state !== "queued" && state !== "running";

export function Job({ id }: { readonly id: string }): JSX.Element {
  const {
    answer: job,
    error,
    again,
  } = useAnswer<JobAnswer>(`/v1/jobs/${encodeURIComponent(id)}`, EVERY_MS, isOver);
  if (job === undefined)
    return <p class={error === undefined ? "empty" : "error"}>{error?.message ?? "…"}</p>;
  return (
    <div class="grid">
      <section class="panel wide">
        <div class="bar">
          <h2>{job.label}</h2>
          <span role="status">
            <State state={job.state} />
          </span>
          {isOver(job) ? null : <Cancel id={id} onDone={again} />}
          {job.state === "failed" || job.state === "cancelled" ? <Retry id={id} /> : null}
        </div>
        {job.progress === undefined ? null : <Progress progress={job.progress} />}
        <Facts job={job} />
        <Why job={job} />
      </section>
      {job.error === undefined ? null : <Failure error={job.error} hasDeaths={job.pastDeaths.length > 0} />}
      {job.pastDeaths.length === 0 ? null : (
        <Deaths deaths={job.pastDeaths} isLost={job.error?.code === "KS_WORKER_LOST"} />
      )}
      {job.state === "succeeded" ? <Result job={job} /> : null}
      <Output id={id} isOver={isOver(job)} />
    </div>
  );
}

function Facts({ job }: { readonly job: JobAnswer }): JSX.Element {
  // Asked once: it never changes, and after a success nobody knows it any more.
  const { answer } = useAnswer<{ call: CallSize | null }>(`/v1/jobs/${job.id}/call`, 0);
  const rows = [
    ["Job", job.id],
    ["Queue", job.queue],
    ["Node", job.node ?? "none yet"],
    ["Attempts", job.deaths === 0 ? String(job.attempt) : `${job.attempt}, after ${deathsOf(job)}`],
    ["Priority", String(job.priority)],
    ["Submitted", time(job.createdAt)],
    ["Waited", span(job.createdAt, job.startedAt ?? job.finishedAt)],
    ["Took", span(job.startedAt, job.finishedAt)],
    ...callRows(answer?.call),
  ] as const;
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function deathsOf({ deaths }: JobFacts): string {
  return deaths === 1 ? "1 death" : `${deaths} deaths`;
}

function Why({ job }: { readonly job: JobAnswer }): JSX.Element | null {
  const [placement, setPlacement] = useState<Placement>();
  useEffect(() => {
    const stop = new AbortController();
    get<Placement>(`/v1/jobs/${job.id}/placement`, stop.signal).then(setPlacement, () => undefined);
    return () => stop.abort();
  }, [job.id, job.state, job.node]);
  if (placement === undefined) return null;
  return (
    <>
      <p>
        <b>{placement.node === null ? "Where it may run:" : "Why there:"}</b> {placement.why}.
      </p>
      {placement.inputs.length === 0 ? null : (
        <ul>
          {placement.inputs.map(({ url, size, replicas }) => (
            <li key={url}>{`${url}, ${bytes(size)}, on ${replicas.join(", ") || "no node"}`}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function Result({ job }: { readonly job: JobAnswer }): JSX.Element {
  const text = job.resultCodec === undefined ? JSON.stringify(job.result, undefined, 2) : wayTo(job);
  return (
    <section class="panel wide">
      <h2>Result</h2>
      <pre class="scroll" tabIndex={0} aria-label="The result">
        {(text ?? "nothing").slice(0, MOST_SHOWN)}
      </pre>
    </section>
  );
}

/** Of a result that is not shown: what it is, and how to have it. */
function wayTo({ resultCodec, resultBytes = 0, resultUrl }: JobAnswer): string {
  const what = `${bytes(resultBytes)}, encoded by ${resultCodec}: await it from a client`;
  return resultUrl === undefined ? what : `${what}, or fetch the bytes at ${resultUrl}`;
}

function Output({ id, isOver: ended }: { readonly id: string; readonly isOver: boolean }): JSX.Element {
  /** Undefined: nothing has been read yet. */
  const [text, setText] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const next = useRef(0);
  const place = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      let isRead = false;
      await whenVisible(stop.signal);
      try {
        const answer = await ask(`/v1/jobs/${id}/output?from=${next.current}`, { signal: stop.signal });
        const more = await answer.text();
        next.current = Number(answer.headers.get("kitchensink-next") ?? next.current);
        setText((before = "") => (before + more).slice(-MOST_SHOWN));
        setProblem(undefined);
        isRead = true;
      } catch (error) {
        if (stop.signal.aborted) return;
        setProblem(error instanceof Error ? error.message : String(error));
      }
      if (!ended || !isRead) timer = setTimeout(() => void read(), EVERY_MS);
    };
    void read();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [id, ended]);
  useEffect(() => {
    const box = place.current;
    // Whoever has scrolled up stays there.
    if (box !== null && box.scrollHeight - box.scrollTop - box.clientHeight < 200)
      box.scrollTop = box.scrollHeight;
  }, [text]);
  return (
    <section class="panel wide">
      <h2>Output</h2>
      <pre
        ref={place}
        class="scroll output"
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="What the job printed"
      >
        {text === "" ? "It has printed nothing." : (text ?? "…")}
      </pre>
      {problem === undefined ? null : <p class="error">{`More could not be read: ${problem}`}</p>}
    </section>
  );
}
