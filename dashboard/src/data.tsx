import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { bytes } from "./format.ts";
import { useAnswer } from "./hooks.ts";

interface DataInfo {
  readonly url: string;
  readonly size: number;
  readonly codec: string | null;
  readonly type: string;
  readonly createdAt: string;
  readonly replicas: readonly { readonly node: string; readonly isAlive: boolean }[];
}

const EVERY_MS = 5_000;
const A_PAGE = 100;

export function Data(): JSX.Element {
  const [match, setMatch] = useState("**");
  const [after, setAfter] = useState("");
  const query = new URLSearchParams({ match, after, limit: String(A_PAGE) });
  const { answer, error } = useAnswer<{ data: DataInfo[]; next: string | null }>(
    `/v1/catalog?${query.toString()}`,
    EVERY_MS,
  );
  const find = (text: string): void => {
    setMatch(text === "" ? "**" : text);
    setAfter("");
  };
  return (
    <section class="panel wide">
      <div class="bar">
        <h2>Data</h2>
        <label>
          Pattern{" "}
          <input type="search" placeholder="**" onInput={(event) => find(event.currentTarget.value)} />
        </label>
        {after === "" ? null : (
          <button type="button" onClick={() => setAfter("")}>
            First page
          </button>
        )}
        {answer?.next == null ? null : (
          <button type="button" onClick={() => setAfter(answer.next ?? "")}>
            Next page
          </button>
        )}
      </div>
      {error === undefined ? null : <p class="error">{error.message}</p>}
      {answer?.data.length === 0 ? <p class="empty">There is no data of such a name.</p> : null}
      {answer === undefined || answer.data.length === 0 ? null : <DataTable data={answer.data} />}
    </section>
  );
}

function DataTable({ data }: { readonly data: readonly DataInfo[] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Data, by name">
      <table>
        <thead>
          <tr>
            <th>Data url</th>
            <th class="number">Size</th>
            <th>Kind</th>
            <th>On</th>
            <th>Saved</th>
          </tr>
        </thead>
        <tbody>
          {data.map(({ url, size, codec, type, createdAt, replicas }) => (
            <tr key={url}>
              <td>{url}</td>
              <td class="number">{bytes(size)}</td>
              <td>{codec === null || codec === undefined ? type : `${type}, ${codec}`}</td>
              <td>{replicas.map(({ node, isAlive }) => (isAlive ? node : `${node} (away)`)).join(", ")}</td>
              <td>{new Date(createdAt).toLocaleString("en-GB")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
