import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Data } from "./data.tsx";
import { Functions } from "./functions.tsx";
import { useModel, useRoute } from "./hooks.ts";
import { Job } from "./job.tsx";
import { Jobs } from "./jobs.tsx";
import { Model } from "./model.ts";
import { Nodes } from "./nodes.tsx";
import { Overview } from "./overview.tsx";
import { hasKey, logOut } from "./session.ts";
import { followActivity } from "./stream.ts";
import { applyTheme, currentTheme, THEMES } from "./theme.ts";

const PAGES = [
  ["", "Overview"],
  ["jobs", "Jobs"],
  ["nodes", "Nodes"],
  ["data", "Data"],
  ["functions", "Functions"],
] as const;

/** `problem`: why the link that was followed did not log in. */
export function App({ problem }: { readonly problem: string | undefined }): JSX.Element {
  const [model] = useState(() => new Model());
  const [isLoggedOut, setLoggedOut] = useState(problem !== undefined);
  useEffect(() => {
    if (isLoggedOut) return undefined;
    const stop = new AbortController();
    const handlers = {
      onStatus: model.takeStatus.bind(model),
      onRuns: model.takeRuns.bind(model),
      onTrouble: model.setTrouble.bind(model),
      onLoggedOut: () => setLoggedOut(true),
    };
    void followActivity(handlers, stop.signal);
    return () => stop.abort();
  }, [model, isLoggedOut]);
  if (isLoggedOut) return <LoggedOut problem={problem} />;
  return (
    <>
      <Header model={model} onLogOut={() => void logOut().then(() => setLoggedOut(true))} />
      <Main model={model} />
    </>
  );
}

function Header({ model, onLogOut }: { readonly model: Model; readonly onLogOut: () => void }): JSX.Element {
  const [page = ""] = useRoute();
  const [theme, setTheme] = useState(currentTheme);
  return (
    <header>
      <a class="skip" href="#main" onClick={toMain}>
        To the contents
      </a>
      <span class="brand">Kitchen Sink</span>
      <nav aria-label="Pages">
        {PAGES.map(([path, name]) => (
          <a key={path} href={`#/${path}`} {...(path === page ? { "aria-current": "page" as const } : {})}>
            {name}
          </a>
        ))}
      </nav>
      <label class="theme">
        <span class="hidden">Colors</span>
        <select
          value={theme}
          onChange={(event) => {
            const chosen = THEMES.find((name) => name === event.currentTarget.value) ?? "system";
            setTheme(chosen);
            applyTheme(chosen);
          }}
        >
          {THEMES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {hasKey() ? (
        <button type="button" onClick={onLogOut}>
          Log out
        </button>
      ) : null}
      <Trouble model={model} />
    </header>
  );
}

function toMain(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Trouble({ model }: { readonly model: Model }): JSX.Element {
  useModel(model);
  return (
    <p class="trouble" role="status">
      {model.trouble}
    </p>
  );
}

function Main({ model }: { readonly model: Model }): JSX.Element {
  const [page = "", id = ""] = useRoute();
  const place = useRef<HTMLElement>(null);
  const name = PAGES.find(([path]) => path === page)?.[1] ?? "Overview";
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${name} – Kitchen Sink`;
    // A page that was asked for is where the keyboard goes on; the first one was not.
    if (!isFirst.current) place.current?.focus();
    isFirst.current = false;
  }, [page, id]);
  return (
    <main id="main" ref={place} tabIndex={-1}>
      <h1 class="hidden">{name}</h1>
      {contents(model, page, id)}
    </main>
  );
}

function contents(model: Model, page: string, id: string): JSX.Element {
  switch (page) {
    case "jobs":
      return id === "" ? <Jobs /> : <Job key={id} id={id} />;
    case "nodes":
      return <Nodes model={model} />;
    case "data":
      return <Data />;
    case "functions":
      return <Functions />;
    default:
      return <Overview model={model} />;
  }
}

function LoggedOut({ problem }: { readonly problem: string | undefined }): JSX.Element {
  return (
    <main id="main" class="login">
      <h1>Kitchen Sink</h1>
      {problem === undefined ? null : <p class="error">{problem}</p>}
      <p>To see this cluster, follow a link that this command prints; it is good once:</p>
      <pre>{`kitchensink dashboard --url ${location.origin}/`}</pre>
    </main>
  );
}
