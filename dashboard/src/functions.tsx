import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useAnswer } from "./hooks.ts";
import { AnswerError, ask } from "./session.ts";

interface FunctionInfo {
  readonly namespace: string;
  readonly name: string;
  readonly parameters: string;
  readonly doc: string;
}

/** Of a result. */
const MOST_SHOWN = 100_000;

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

function FunctionForm({ info }: { readonly info: FunctionInfo }): JSX.Element {
  const parameters = splitParameters(info.parameters);
  const [values, setValues] = useState<readonly string[]>(parameters.map(() => ""));
  const [result, setResult] = useState<{ text: string; isError: boolean }>();
  const [isRunning, setRunning] = useState(false);
  const call = async (event: Event): Promise<void> => {
    event.preventDefault();
    setRunning(true);
    setResult(await callFunction(info, parameters, values));
    setRunning(false);
  };
  return (
    <form class="panel" onSubmit={(event) => void call(event)}>
      <h2>{`${info.namespace}.${info.name}`}</h2>
      {info.doc === "" ? null : <p class="doc">{info.doc}</p>}
      {parameters.map((parameter, at) => (
        <label key={parameter} class="field">
          <code>{parameter}</code>
          <input
            value={values[at]}
            spellcheck={false}
            placeholder="as JSON"
            onInput={(event) => {
              const text = event.currentTarget.value;
              setValues((before) => before.map((one, index) => (index === at ? text : one)));
            }}
          />
        </label>
      ))}
      <button type="submit" disabled={isRunning}>
        {isRunning ? "Running …" : "Call"}
      </button>
      <div role="status">
        {result === undefined ? null : <pre class={result.isError ? "error" : ""}>{result.text}</pre>}
      </div>
    </form>
  );
}

async function callFunction(
  { namespace, name }: FunctionInfo,
  parameters: readonly string[],
  values: readonly string[],
): Promise<{ text: string; isError: boolean }> {
  try {
    const args = argumentsOf(parameters, values);
    const path = `/rpc/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
    const headers = { "content-type": "application/json" };
    const response = await ask(path, { method: "POST", headers, body: JSON.stringify(args) });
    return { text: (await response.text()).slice(0, MOST_SHOWN), isError: false };
  } catch (error) {
    return {
      text: error instanceof AnswerError || error instanceof SyntaxError ? error.message : String(error),
      isError: true,
    };
  }
}

/** Empty fields at the end are left out, so that defaults count. @throws SyntaxError */
function argumentsOf(parameters: readonly string[], values: readonly string[]): unknown[] {
  const last = values.findLastIndex((value) => value.trim() !== "");
  return values.slice(0, last + 1).map((value, at) => {
    if (value.trim() === "") return null;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      throw new SyntaxError(`${parameters[at]} is no JSON: a text needs quotes, as in "text"`);
    }
  });
}

/** `a, b = [1, 2]` is two. */
export function splitParameters(text: string): string[] {
  const parts: string[] = [];
  let [depth, part] = [0, ""];
  for (const character of text) {
    if ("([{".includes(character)) depth += 1;
    if (")]}".includes(character)) depth -= 1;
    if (character === "," && depth === 0) {
      parts.push(part.trim());
      part = "";
    } else part += character;
  }
  return [...parts, part.trim()].filter((one) => one !== "");
}
