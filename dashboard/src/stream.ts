import type { ClusterStatus, RunsOfNode } from "../../src/core/activity.ts";
import { AnswerError, ask } from "./session.ts";
import { whenVisible } from "./visible.ts";

export interface StreamHandlers {
  readonly onStatus: (status: ClusterStatus) => void;
  readonly onRuns: (runs: readonly RunsOfNode[]) => void;
  /** `undefined`: it works again. */
  readonly onTrouble: (message: string | undefined) => void;
  /** The login is over, or there was none. */
  readonly onLoggedOut: () => void;
}

const PAUSE_MS = 2_000;

/** Follows what happens in the cluster, again and again; while nobody looks at the page it is not followed. */
export async function followActivity(handlers: StreamHandlers, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await whenVisible(signal);
    try {
      await readOnce(handlers, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof AnswerError && error.status === 401) return handlers.onLoggedOut();
      if (document.visibilityState === "visible")
        handlers.onTrouble(
          error instanceof AnswerError ? error.message : "The connection to the node broke off",
        );
    }
    await new Promise((resolve) => setTimeout(resolve, document.hidden ? 0 : PAUSE_MS));
  }
}

async function readOnce(handlers: StreamHandlers, signal: AbortSignal): Promise<void> {
  const hidden = new AbortController();
  const onHidden = (): void => {
    if (document.hidden) hidden.abort();
  };
  document.addEventListener("visibilitychange", onHidden);
  try {
    const response = await ask("/v1/activity", { signal: AbortSignal.any([signal, hidden.signal]) });
    if (response.body !== null) await readEvents(response.body, (name, data) => take(handlers, name, data));
  } finally {
    document.removeEventListener("visibilitychange", onHidden);
  }
}

function take(handlers: StreamHandlers, name: string, data: unknown): void {
  if (name === "problem") return handlers.onTrouble((data as { detail: string }).detail);
  handlers.onTrouble(undefined);
  if (name === "status") handlers.onStatus(data as ClusterStatus);
  if (name === "runs") handlers.onRuns(data as RunsOfNode[]);
}

/** Not `EventSource`: that can send no header, and so not prove where the page is from. */
async function readEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onEvent: (name: string, data: unknown) => void,
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (text + value).split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const [, name = "", data = ""] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
      onEvent(name, JSON.parse(data));
    }
  }
}
