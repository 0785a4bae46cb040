/** The login of a browser: its codes, its sessions, and what they are good for. */
import { fileURLToPath } from "node:url";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CODE_MS, SESSION_MS, Sessions } from "../../src/node/http/sessions.ts";
import { runCommand, startNodeProcess } from "../support/cli.ts";
import { authorized, JSON_TYPE, send, type Answer, type Attempt } from "./support/attacker.ts";
import { isEndless, notingRoutes, type Route } from "./support/routes.ts";

const FUNCTIONS = fileURLToPath(new URL("fixtures/functions.mjs", import.meta.url));
const log: string[] = [];
let cluster: Cluster;
let other: Cluster;
let routes: readonly Route[];
let port = "";
beforeAll(async () => {
  const note = (message: string): void => void log.push(message);
  const logging = { log: { debug: note, info: note, warn: note, error: note } };
  const started = await notingRoutes(() => startCluster({ modules: [FUNCTIONS], ...logging }));
  [cluster, routes] = [started.result, started.routes];
  other = await startCluster();
  ({ port } = new URL(cluster.urls[0]!));
});
afterAll(async () => {
  await cluster.close();
  await other.close();
});

interface Login {
  readonly cookie: string;
  readonly key: string;
  readonly setCookie: string;
}

const attempt = (what: Attempt, on = cluster): Promise<Answer> => send(on.urls[0]!, what);
const post = (path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> =>
  attempt({ method: "POST", path, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) });
let lastAddress = 1;
/** An address of this machine that has not failed yet. */
const freshAddress = (): string => `127.9.0.${(lastAddress += 1)}`;

async function newCode(): Promise<string> {
  const answer = await post("/v1/login-codes", {}, authorized(cluster));
  return (JSON.parse(answer.body) as { code: string }).code;
}

async function login(headers: Record<string, string> = {}): Promise<Login> {
  const answer = await post("/v1/login", { code: await newCode() }, headers);
  expect(answer.status).toBe(200);
  const [setCookie = ""] = [answer.headers["set-cookie"] ?? ""].flat();
  const { key } = JSON.parse(answer.body) as { key: string };
  return { setCookie, cookie: setCookie.split(";")[0] ?? "", key };
}

const halves = ({ cookie, key }: Pick<Login, "cookie" | "key">): Record<string, string> => ({
  cookie,
  "kitchensink-session": key,
});

describe("attack 17: codes", () => {
  test("attack 17: a code is good once", async () => {
    const code = await newCode();
    expect((await post("/v1/login", { code })).status).toBe(200);
    const again = await post("/v1/login", { code });
    expect(again.status).toBe(401);
    expect(JSON.parse(again.body)).toMatchObject({
      code: "KS_UNAUTHORIZED",
      detail: expect.stringContaining("kitchensink dashboard prints a new one"),
    });
    expect(again.headers["set-cookie"]).toBeUndefined();
  });

  test("attack 17: only who has the token gets one, and no login does", async () => {
    const from = freshAddress();
    expect(
      (await attempt({ method: "POST", path: "/v1/login-codes", headers: JSON_TYPE, from })).status,
    ).toBe(401);
    expect((await post("/v1/login-codes", {}, halves(await login()))).status).toBe(403);
  });

  test("attack 17: guesses are counted, as those of the token are", async () => {
    const from = freshAddress();
    const statuses: number[] = [];
    for (let tries = 0; tries < 35; tries += 1) {
      const body = JSON.stringify({ code: `guess${tries}` });
      statuses.push(
        (await attempt({ method: "POST", path: "/v1/login", headers: JSON_TYPE, body, from })).status,
      );
    }
    expect(statuses).toEqual([...Array<number>(30).fill(401), ...Array<number>(5).fill(429)]);
  });

  test.each([{}, { code: null }, { code: "" }, { code: ["x"] }, { code: "__proto__" }])(
    "attack 17: %j logs nobody in",
    async (body) => {
      expect((await post("/v1/login", body)).status).toBe(401);
    },
  );

  test("attack 17: a form cannot log a browser in, nor a page of another place", async () => {
    const body = JSON.stringify({ code: await newCode() });
    for (const type of ["text/plain", "application/x-www-form-urlencoded"])
      expect(
        (await attempt({ method: "POST", path: "/v1/login", headers: { "content-type": type }, body }))
          .status,
      ).toBe(415);
    for (const from of [{ origin: "http://localhost:1" }, { "sec-fetch-site": "same-site" }])
      expect(
        (await attempt({ method: "POST", path: "/v1/login", headers: { ...JSON_TYPE, ...from }, body }))
          .status,
      ).toBe(403);
  });

  test("attack 17: a code ends after a while, and a session too; old ones make room for new ones", () => {
    let nowMs = 0;
    const sessions = new Sessions({ node: "n1", nowMs: () => nowMs });
    const [late, timely] = [sessions.newCode(), sessions.newCode()];
    nowMs = CODE_MS - 1;
    const session = sessions.login(timely, {})!;
    nowMs = CODE_MS;
    expect(sessions.login(late, {})).toBeUndefined();
    const headers = { cookie: session.cookie.split(";")[0]!, "kitchensink-session": session.key };
    nowMs = CODE_MS - 1 + SESSION_MS - 1;
    expect(sessions.isOpen(headers)).toBe(true);
    nowMs += 1;
    expect(sessions.isOpen(headers)).toBe(false);
    const first = sessions.newCode();
    for (let count = 0; count < 50; count += 1) sessions.newCode();
    expect(sessions.login(first, {})).toBeUndefined();
  });
});

describe("attack 17: sessions", () => {
  test("attack 17: the cookie is for this host alone, for no script, for no other site, and ends", async () => {
    expect((await login()).setCookie).toMatch(
      /^kitchensink-[0-9a-f]{12}=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    );
  });

  test("attack 17: a page that came over TLS, through a proxy, gets a cookie that goes over nothing else", async () => {
    const { setCookie } = await login({ host: "localhost", origin: "https://localhost" });
    expect(setCookie).toMatch(/; Max-Age=43200; Secure$/);
  });

  test("attack 17: the cookie alone, as every port of this host gets it, is worth nothing; nor is the key alone, nor one with another's", async () => {
    const [one, two] = [await login(), await login()];
    const path = "/v1/status";
    const statusOf = async (headers: Record<string, string>): Promise<number> =>
      (await attempt({ path, headers, from: freshAddress() })).status;
    expect(await statusOf(halves(one))).toBe(200);
    for (const headers of [
      { cookie: one.cookie },
      { "kitchensink-session": one.key },
      halves({ cookie: one.cookie, key: two.key }),
      halves({ cookie: two.cookie, key: one.key }),
      halves({ cookie: one.cookie, key: one.cookie.split("=")[1]! }),
      halves({ cookie: one.cookie.replace("=", "x="), key: one.key }),
      { authorization: `Bearer ${one.key}`, cookie: one.cookie },
    ])
      expect(await statusOf(headers), JSON.stringify(Object.keys(headers))).toBe(401);
  });

  test("attack 17: a cookie of the same name that another port has set keeps nobody out", async () => {
    const { cookie, key } = await login();
    const [name] = cookie.split("=");
    const headers = halves({ cookie: `${name}=theirs; ${cookie}; a=b`, key });
    expect((await attempt({ path: "/v1/status", headers })).status).toBe(200);
  });

  test("attack 17: a page of another port is refused, whatever it could come by", async () => {
    const session = halves(await login());
    const own = { host: `localhost:${port}` };
    for (const from of [
      { origin: "http://localhost:8080" },
      { origin: "null" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site" },
    ])
      expect((await attempt({ path: "/v1/status", headers: { ...session, ...own, ...from } })).status).toBe(
        403,
      );
    const ownPage = { origin: `http://localhost:${port}`, "sec-fetch-site": "same-origin" };
    expect((await attempt({ path: "/v1/status", headers: { ...session, ...own, ...ownPage } })).status).toBe(
      200,
    );
  });

  test("attack 17: a session is good for what the dashboard needs, and for no other route", async () => {
    const session = halves(await login());
    const permitted: string[] = [];
    for (const route of routes.filter((one) => !isEndless(one) && one.path !== "/v1/logout")) {
      const { method, pattern, path } = route;
      if (["/", "/dashboard", "/dashboard/:file", "/health", "/ready", "/v1/login"].includes(pattern))
        continue;
      const answer = await attempt({ method, path, headers: { ...JSON_TYPE, ...session } });
      if (answer.status !== 403) permitted.push(`${method} ${pattern}`);
    }
    expect(permitted.toSorted()).toEqual([
      "GET /v1/catalog",
      "GET /v1/functions/:namespace",
      "GET /v1/jobs",
      "GET /v1/jobs/:id",
      "GET /v1/jobs/:id/call",
      "GET /v1/jobs/:id/output",
      "GET /v1/jobs/:id/placement",
      "GET /v1/nodes",
      "GET /v1/status",
      "POST /rpc/:namespace/:name",
      "POST /v1/cancel",
      "POST /v1/jobs/:id/retry",
    ]);
  });

  test("attack 17: another node knows nothing of it, and who has logged out is out", async () => {
    const session = halves(await login());
    expect((await attempt({ path: "/v1/status", headers: session }, other)).status).toBe(401);
    expect((await post("/v1/logout", {}, session)).status).toBe(204);
    expect((await attempt({ path: "/v1/status", headers: session, from: freshAddress() })).status).toBe(401);
  });

  test("attack 17: no code, cookie or key is in the log", async () => {
    const { cookie, key } = await login();
    const code = await newCode();
    await attempt({ path: `/?login=${code}`, from: freshAddress() });
    for (const secret of [code, key, cookie.split("=")[1]!]) expect(log.join("\n")).not.toContain(secret);
  });
});

test("attack 17: kitchensink start prints no code where its output may be kept; kitchensink dashboard prints one", async () => {
  const node = await startNodeProcess();
  expect(node.stdout).not.toContain("#login=");
  expect(node.stdout).toMatch(
    /dashboard +kitchensink dashboard --url http:\/\/localhost:\d+\/ prints a link/,
  );
  const { code, stdout } = await runCommand(["dashboard", "--url", node.url], {
    KITCHENSINK_TOKEN: node.token,
  });
  expect(code).toBe(0);
  const link = new URL(stdout.trim());
  expect(`${link.origin}/`).toBe(node.url);
  const answer = await send(node.url, {
    method: "POST",
    path: "/v1/login",
    headers: JSON_TYPE,
    body: JSON.stringify({ code: link.hash.replace("#login=", "") }),
  });
  expect(answer.status).toBe(200);
  const refused = await runCommand(["dashboard", "--url", node.url], { KITCHENSINK_TOKEN: "wrong" });
  expect(refused).toMatchObject({
    code: 7,
    stdout: "",
    stderr: expect.stringContaining("The token is wrong"),
  });
});

test("attack 17: without a token there is no login, and the link needs none", async () => {
  const node = await startNodeProcess(["--embedded", "--no-token"]);
  expect(node.stdout).toMatch(new RegExp(`dashboard +${node.url}\\n`));
  const { stdout } = await runCommand(["dashboard", "--url", node.url]);
  expect(stdout).toBe(`${node.url}\n`);
});
