import type { JSX } from "preact";
import { Chart } from "./chart.tsx";
import { count, duration, rate } from "./format.ts";
import { useModel } from "./hooks.ts";
import type { Model } from "./model.ts";
import { RunStream } from "./run-stream.tsx";

export function Overview({ model }: { readonly model: Model }): JSX.Element {
  useModel(model);
  const { status } = model;
  if (status === undefined) return <p class="empty">Waiting for the first news of the cluster …</p>;
  const workers = status.nodes.flatMap(({ status: own }) => own?.workers ?? []);
  const silent = status.nodes.filter(({ status: own }) => own === null).length;
  const rates = status.nodes.flatMap(({ status: own }) => own?.rates ?? []);
  const ended = rates.reduce(
    (sum, { queue, instant }) => sum + queue.endedPerSecond + instant.endedPerSecond,
    0,
  );
  const waiting = status.queues.reduce((sum, { jobs }) => sum + jobs, 0);
  return (
    <div class="grid">
      <dl class="tiles wide">
        <Tile name="Nodes" value={`${status.nodes.length}${silent === 0 ? "" : `, ${silent} silent`}`} />
        <Tile name="Workers busy" value={`${Math.round(model.busy)} of ${workers.length}`} />
        <Tile name="Jobs waiting" value={waiting.toLocaleString("en")} />
        <Tile name="Runs per second" value={rate(ended)} />
      </dl>
      <RunStream model={model} />
      <Chart
        model={model}
        title="Throughput, per second"
        show={rate}
        lines={[
          { series: "succeeded", label: "jobs succeeded", color: "c1" },
          { series: "instant", label: "instant calls", color: "c3" },
          { series: "failed", label: "failed", color: "failed" },
        ]}
      />
      <Chart
        model={model}
        title="How long runs take"
        show={duration}
        lines={[
          { series: "p50", label: "half of them at most", color: "c1" },
          { series: "p95", label: "95 % at most", color: "c2" },
        ]}
      />
      <Chart
        model={model}
        title="Jobs"
        show={rate}
        lines={[
          { series: "waiting", label: "waiting", color: "c2" },
          { series: "running", label: "running", color: "c1" },
        ]}
      />
      <Chart
        model={model}
        title="Memory, in MB"
        show={count}
        lines={[
          { series: "workers", label: "workers", color: "c1" },
          { series: "nodes", label: "nodes", color: "c2" },
        ]}
      />
      <Queues model={model} />
    </div>
  );
}

function Queues({ model }: { readonly model: Model }): JSX.Element {
  const { queues = [], unplaced = 0 } = model.status ?? {};
  return (
    <section class="panel">
      <h2>Queues</h2>
      {queues.length === 0 ? <p class="empty">No job waits.</p> : null}
      <ul class="plain">
        {queues.map(({ queue, jobs }) => (
          <li key={queue}>
            <span>{queue.includes("|") ? queue.replace("|", ", for ") : queue}</span>
            <b>{jobs.toLocaleString("en")}</b>
          </li>
        ))}
      </ul>
      {unplaced > 0 ? <p>{unplaced} of them wait for nodes that are gone.</p> : null}
    </section>
  );
}

function Tile({ name, value }: { readonly name: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
