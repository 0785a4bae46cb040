/** What this page keeps of its login: for its own origin, the port included, where the cookie is for the whole host. */
const KEY = "kitchensink-session";
const KEY_HEADER = "kitchensink-session";

interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
}

/** The node said no, or nothing. */
export class AnswerError extends Error {
  readonly status: number;
  /** One of Kitchen Sink's own, if it is one. */
  readonly code: string | undefined;

  constructor(status: number, message: string, code?: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Follows a login link: takes its code out of the address, and exchanges it. Resolves when there is nothing to exchange. */
export async function logInByLink(): Promise<void> {
  const code = /^#login=([\w-]+)$/.exec(location.hash)?.[1];
  if (code === undefined) return;
  history.replaceState(null, "", location.pathname);
  const { key } = (await post("/v1/login", { code })) as { key: string };
  localStorage.setItem(KEY, key);
}

export async function logOut(): Promise<void> {
  await post("/v1/logout", {}).catch(() => undefined);
  localStorage.removeItem(KEY);
}

export function hasKey(): boolean {
  return localStorage.getItem(KEY) !== null;
}

/** As `fetch`, with the login. @throws AnswerError when the answer is no success */
export async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  const key = localStorage.getItem(KEY);
  const headers = { ...(key === null ? {} : { [KEY_HEADER]: key }), ...(options.headers as object) };
  const response = await fetch(path, { ...options, headers, credentials: "same-origin" }).catch(() => {
    throw new AnswerError(0, "The node does not answer");
  });
  if (response.ok) return response;
  throw await refusalOf(response);
}

export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return (await (await ask(path, signal === undefined ? {} : { signal })).json()) as Answer;
}

export async function post(path: string, body: unknown): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const text = await (await ask(path, { method: "POST", headers, body: JSON.stringify(body) })).text();
  return text === "" ? undefined : JSON.parse(text);
}

async function refusalOf(response: Response): Promise<AnswerError> {
  const { status } = response;
  const { title, detail, code } = (await response.json().catch(() => ({}))) as Problem;
  if (detail === undefined) return new AnswerError(status, `The node answered ${status}`);
  // What a function threw has no code: its name is the title.
  return new AnswerError(status, status === 500 && code === undefined ? `${title}: ${detail}` : detail, code);
}
