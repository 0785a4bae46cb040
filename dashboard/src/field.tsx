import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { Field } from "./schema-fields.ts";

export interface FieldProps {
  readonly field: Field;
  readonly typed: string;
  readonly problem: string | undefined;
  readonly onType: (typed: string) => void;
}

/** One argument: what it is called, what it takes, and what is wrong with what was typed. */
export function FieldInput({ field, typed, problem, onType }: FieldProps): JSX.Element {
  const id = useId();
  const { name, kind, options, isRequired, hint, description } = field;
  const attributes = {
    id,
    value: typed,
    "aria-describedby": `${id}-hint ${id}-problem`,
    "aria-invalid": problem !== undefined,
    "aria-required": isRequired,
  };
  return (
    <div class="field">
      <label for={id}>
        <code>{name}</code>
      </label>
      {kind === "choice" ? (
        <select {...attributes} onChange={(event) => onType(event.currentTarget.value)}>
          <option value="">{isRequired ? "choose one" : "leave it out"}</option>
          {options.map((option, at) => (
            <option key={at} value={String(at)}>
              {typeof option === "string" ? option : JSON.stringify(option)}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...attributes}
          spellcheck={false}
          autocomplete="off"
          inputMode={kind === "number" || kind === "integer" ? "decimal" : "text"}
          onInput={(event) => onType(event.currentTarget.value)}
        />
      )}
      <span id={`${id}-hint`} class="hint">
        {description === "" ? hint : `${description} (${hint})`}
      </span>
      <span id={`${id}-problem`} class="error">
        {problem ?? ""}
      </span>
    </div>
  );
}
