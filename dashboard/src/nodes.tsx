import type { JSX } from "preact";
import type { NodeReport, WorkerStatus } from "../../src/core/activity.ts";
import { bytes, duration, rate } from "./format.ts";
import { useModel } from "./hooks.ts";
import type { Model } from "./model.ts";

export function Nodes({ model }: { readonly model: Model }): JSX.Element {
  useModel(model);
  return (
    <div class="grid">
      {model.status?.nodes.map((node) => (
        <Node key={node.name} node={node} model={model} />
      ))}
    </div>
  );
}

function Node({ node, model }: { readonly node: NodeReport; readonly model: Model }): JSX.Element {
  const { name, url, status, error } = node;
  if (status === null)
    return (
      <section class="panel wide">
        <h2>{name}</h2>
        <p class="error">It does not answer: {error}</p>
      </section>
    );
  const { memory, data, rates, queues, isReadOnly, version } = status;
  const facts = [
    ["Address", url ?? "–"],
    ["Queues", queues.join(", ")],
    ["Runs per second", rate(rates.queue.endedPerSecond + rates.instant.endedPerSecond)],
    ["Memory of the node", bytes(memory.nodeBytes)],
    ["Free on its machine", `${bytes(memory.freeBytes)} of ${bytes(memory.totalBytes)}`],
    ["Data", `${data.replicas.toLocaleString("en")} replicas, ${bytes(data.bytes)}`],
    [
      "Free on its disk",
      `${bytes(data.freeBytes)}${data.isFull ? ": full" : ""}${isReadOnly ? ", read-only" : ""}`,
    ],
    ["Release", version],
  ] as const;
  return (
    <section class="panel wide">
      <h2>{name}</h2>
      <dl class="facts">
        {facts.map(([what, value]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Workers workers={status.workers} name={name} offsetMs={model.offsets.get(name) ?? 0} />
    </section>
  );
}

interface WorkersProps {
  readonly workers: readonly WorkerStatus[];
  readonly name: string;
  readonly offsetMs: number;
}

function Workers({ workers, name, offsetMs }: WorkersProps): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`Workers of ${name}`}>
      <table>
        <thead>
          <tr>
            <th>Worker</th>
            <th class="number">Process</th>
            <th class="number">Memory</th>
            <th>Runs</th>
            <th>Job</th>
            <th class="number">For</th>
            <th class="number">Behind it</th>
          </tr>
        </thead>
        <tbody>
          {workers.map(({ lane, slot, pid, memoryBytes, run, waiting }) => (
            <tr key={`${lane} ${slot}`}>
              <td>{lane === "instant" ? `instant ${slot}` : slot}</td>
              <td class="number">{pid ?? "starting"}</td>
              <td class="number">{bytes(memoryBytes)}</td>
              <td>{run?.label ?? "idle"}</td>
              <td>
                {run === null || lane === "instant" ? (
                  "–"
                ) : (
                  <a href={`#/jobs/${run.id}`}>{run.id.slice(-8)}</a>
                )}
              </td>
              <td class="number">
                {run === null ? "–" : duration(Math.max(0, Date.now() - run.begunAtMs - offsetMs))}
              </td>
              <td class="number">{waiting}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
