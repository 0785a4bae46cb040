import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { AnswerError, post } from "./session.ts";

export interface ActionProps {
  readonly id: string;
  readonly onDone: () => void;
}

export function Cancel({ id, onDone }: ActionProps): JSX.Element {
  const cancel = async (): Promise<string> => {
    const answer = (await post("/v1/cancel", { jobs: [id], reason: "from the dashboard" })) as {
      jobs: Record<string, string>;
    };
    onDone();
    const reply = answer.jobs[id] ?? "";
    return reply === "cancelling" || reply === "stopping" ? "it is being stopped" : reply;
  };
  return <Action name="Cancel" act={cancel} />;
}

/** Goes to the page of the new job. */
export function Retry({ id }: Pick<ActionProps, "id">): JSX.Element {
  const retry = async (): Promise<string> => {
    const fresh = (await post(`/v1/jobs/${id}/retry`, {})) as { id: string };
    location.hash = `#/jobs/${fresh.id}`;
    return "";
  };
  return <Action name="Retry" act={retry} />;
}

/** A button, and what came of it. */
function Action({ name, act }: { readonly name: string; readonly act: () => Promise<string> }): JSX.Element {
  const [said, setSaid] = useState("");
  const [isBusy, setBusy] = useState(false);
  const click = async (): Promise<void> => {
    setBusy(true);
    try {
      setSaid(await act());
    } catch (error) {
      setSaid(error instanceof AnswerError ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <>
      <button type="button" disabled={isBusy} onClick={() => void click()}>
        {name}
      </button>
      <span role="status">{said}</span>
    </>
  );
}
