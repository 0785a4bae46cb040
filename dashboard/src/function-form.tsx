import type { JSX } from "preact";
import { useId, useMemo, useRef, useState } from "preact/hooks";
import type { FunctionInfo } from "../../src/core/messages.ts";
import { FieldInput } from "./field.tsx";
import { bodyOf, fieldsOf, parseJson, problemsIn, type Typed } from "./schema-fields.ts";
import { AnswerError, ask } from "./session.ts";

/** Of a result. */
const MOST_SHOWN = 100_000;

interface Result {
  readonly text: string;
  readonly isError: boolean;
}

type Problems = Readonly<Record<string, string>>;

/** Calls a registered function: a field for each argument that it tells of, or all of them as one JSON text. */
export function FunctionForm({ info }: { readonly info: FunctionInfo }): JSX.Element {
  const fields = useMemo(() => fieldsOf(info), [info]);
  const [isRaw, setRaw] = useState(fields === undefined);
  const [typed, setTyped] = useState<Typed>({});
  const [raw, setRawText] = useState("");
  const [problems, setProblems] = useState<Problems>({});
  const [result, setResult] = useState<Result>();
  const [isRunning, setRunning] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  const fail = (found: Problems): void => {
    setProblems(found);
    setResult(undefined);
    // Drawn first: then the first field that is wrong has the keyboard.
    setTimeout(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  };
  const call = async (event: Event): Promise<void> => {
    event.preventDefault();
    const asked = isRaw || fields === undefined ? rawBody(raw) : bodyOf(info, fields, typed);
    if ("problems" in asked) return fail(asked.problems);
    setProblems({});
    setRunning(true);
    const told = await callFunction(info, asked.body);
    setRunning(false);
    const found = told instanceof AnswerError && !isRaw ? misfits(told, fields) : undefined;
    if (found !== undefined) return fail(found);
    setResult(told instanceof AnswerError ? { text: told.message, isError: true } : told);
  };
  const switchRaw = (): void => {
    if (!isRaw && fields !== undefined) {
      const written = bodyOf(info, fields, typed);
      if ("body" in written && Object.keys(written.body as object).length > 0)
        setRawText(JSON.stringify(written.body));
    }
    setProblems({});
    setRaw(!isRaw);
  };
  return (
    <form class="panel" ref={form} noValidate onSubmit={(event) => void call(event)}>
      <div class="bar">
        <h2>{`${info.namespace}.${info.name}(${info.parameters})`}</h2>
        {fields === undefined || fields.length === 0 ? null : (
          <button type="button" aria-pressed={isRaw} onClick={switchRaw}>
            As JSON
          </button>
        )}
      </div>
      {info.doc === "" ? null : <p class="doc">{info.doc}</p>}
      {isRaw || fields === undefined ? (
        <RawArguments text={raw} problem={problems[RAW]} onType={setRawText} />
      ) : (
        fields.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            typed={typed[field.name] ?? ""}
            problem={problems[field.name]}
            onType={(text) => setTyped((before) => ({ ...before, [field.name]: text }))}
          />
        ))
      )}
      <button type="submit" disabled={isRunning}>
        {isRunning ? "Running …" : "Call"}
      </button>
      <div role="status">
        {result === undefined ? null : <pre class={result.isError ? "error" : ""}>{result.text}</pre>}
        {Object.keys(problems).length === 0 ? null : (
          <p class="hidden">{`Not called: ${Object.values(problems).join("; ")}`}</p>
        )}
      </div>
    </form>
  );
}

/** Among problems: of the text that has all arguments. */
const RAW = "";

interface RawProps {
  readonly text: string;
  readonly problem: string | undefined;
  readonly onType: (text: string) => void;
}

function RawArguments({ text, problem, onType }: RawProps): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>Arguments as JSON</label>
      <textarea
        id={id}
        rows={3}
        value={text}
        spellcheck={false}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-hint ${id}-problem`}
        onInput={(event) => onType(event.currentTarget.value)}
      />
      <span id={`${id}-hint`} class="hint">
        A list of them, or an object of them by name; nothing for none
      </span>
      <span id={`${id}-problem`} class="error">
        {problem ?? ""}
      </span>
    </div>
  );
}

function rawBody(raw: string): { readonly body: unknown } | { readonly problems: Problems } {
  if (raw.trim() === "") return { body: [] };
  const { value, problem } = parseJson(raw);
  if (problem !== undefined) return { problems: { [RAW]: problem } };
  if (typeof value === "object" && value !== null) return { body: value };
  return { problems: { [RAW]: 'Expected a list, or an object: [1, 2] or {"a": 1}' } };
}

function misfits(error: AnswerError, fields: ReturnType<typeof fieldsOf>): Problems | undefined {
  if (error.code !== "KS_INVALID_ARGUMENTS" || fields === undefined) return undefined;
  return problemsIn(error.message, fields);
}

async function callFunction({ namespace, name }: FunctionInfo, body: unknown): Promise<Result | AnswerError> {
  try {
    const path = `/rpc/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
    const headers = { "content-type": "application/json" };
    const response = await ask(path, { method: "POST", headers, body: JSON.stringify(body) });
    return { text: (await response.text()).slice(0, MOST_SHOWN), isError: false };
  } catch (error) {
    return error instanceof AnswerError ? error : { text: String(error), isError: true };
  }
}
