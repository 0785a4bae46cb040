import type { JSX } from "preact";

export interface JobError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack: string;
  /** The text of the line that threw. */
  readonly source?: string;
}

/** What a job threw, with the line that did. */
export function Failure({
  error,
  hasDeaths,
}: {
  readonly error: JobError;
  readonly hasDeaths: boolean;
}): JSX.Element {
  const frames = error.stack.split("\n").flatMap((line) => (/^\s+at /.test(line) ? [line.trim()] : []));
  // Those are listed one by one.
  const isLost = error.code === "KS_WORKER_LOST";
  const message = hasDeaths && isLost ? error.message.replace(/\nEarlier deaths:\n[^]*$/, "") : error.message;
  return (
    <section class="panel wide">
      <h2>{error.code ?? error.name}</h2>
      <p class="error">{message}</p>
      {error.source === undefined ? null : (
        <pre class="scroll source" tabIndex={0} role="region" aria-label="The line that threw">
          {error.source}
        </pre>
      )}
      {frames.length === 0 ? null : (
        <pre class="scroll" tabIndex={0} role="region" aria-label="Where it was thrown">
          {frames.join("\n")}
        </pre>
      )}
    </section>
  );
}

/** How a job lost its workers and nodes, one by one. `isLost`: it ended with one of them. */
export function Deaths({
  deaths,
  isLost,
}: {
  readonly deaths: readonly string[];
  readonly isLost: boolean;
}): JSX.Element {
  return (
    <section class="panel wide">
      <h2>Deaths</h2>
      {isLost ? <p>The last one is told above.</p> : null}
      <ol class="deaths">
        {deaths.map((death) => (
          <li key={death}>{death}</li>
        ))}
      </ol>
    </section>
  );
}
