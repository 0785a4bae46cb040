import type { JSX } from "preact";
import type { FunctionInfo } from "../../src/core/messages.ts";
import { FunctionForm } from "./function-form.tsx";
import { useAnswer } from "./hooks.ts";

export function Functions(): JSX.Element {
  const { answer, error } = useAnswer<{ nodes: { namespaces: string[] }[] }>("/v1/nodes", 0);
  const namespaces = [...new Set(answer?.nodes.flatMap((node) => node.namespaces) ?? [])].toSorted();
  if (error !== undefined) return <p class="error">{error.message}</p>;
  if (answer !== undefined && namespaces.length === 0)
    return <p class="empty">No function is registered: start nodes with --module.</p>;
  return (
    <div class="grid">
      {namespaces.map((name) => (
        <Namespace key={name} name={name} />
      ))}
    </div>
  );
}

function Namespace({ name }: { readonly name: string }): JSX.Element {
  const { answer, error } = useAnswer<{ functions: FunctionInfo[] }>(
    `/v1/functions/${encodeURIComponent(name)}`,
    0,
  );
  return (
    <>
      {error === undefined ? null : <p class="error wide">{error.message}</p>}
      {answer?.functions.map((info) => (
        <FunctionForm key={info.name} info={info} />
      ))}
    </>
  );
}
