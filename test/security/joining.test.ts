/** Nodes that do not belong to a cluster. */
import { RemoteData } from "kitchensink";
import { beforeEach, describe, expect, test } from "vitest";
import { runCommand } from "../support/cli.ts";
import { nodeProcesses, type NodeInProcess } from "../support/node-processes.ts";
import { useStore } from "../support/stores.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const redis = useStore("redis");
let cluster = "";
let number = 0;
beforeEach(() => {
  cluster = `joining-${++number}`;
});
const processes = () => nodeProcesses(redis().redisConnection ?? "");
const flags = (): string[] => ["--cluster", cluster];

async function stop(node: NodeInProcess): Promise<void> {
  node.command.kill("SIGTERM");
  await node.command.exited;
}

describe("attack 15: a node that does not belong", () => {
  const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    runCommand(
      ["start", "--no-redis", "--redis-connection", redis().redisConnection!, "--node-port", "0", ...args],
      env,
    );

  test("attack 15: another token is refused, with both fingerprints", async () => {
    const place = processes();
    await place.start("node1", flags());
    const directory = temporaryDirectory();
    const { code, stderr } = await start([...flags(), "--datadir", directory, "--node-name", "node2"], {
      KITCHENSINK_TOKEN: "another-token-than-theirs-0123456789",
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /Cannot join the cluster "joining-\d+": its nodes have another token \(fingerprint [0-9a-f]{8}, this node's is [0-9a-f]{8}\)/,
    );
  });

  test("attack 15: another cluster's data directory is refused, with both names", async () => {
    const place = processes();
    const one = await place.start("node1", flags());
    await new RemoteData({ obj: 1, client: place.connect(one) }).save();
    await stop(one);
    const { code, stderr } = await start(["--cluster", "other", "--datadir", place.directory("node1")], {
      KITCHENSINK_TOKEN: place.token,
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`"${cluster}"`);
    expect(stderr).toContain(`"other"`);
  });

  test("attack 15: a data directory that another node uses is refused", async () => {
    const place = processes();
    const one = await place.start("node1", flags());
    const { code, stderr } = await start(
      [...flags(), "--datadir", place.directory("node1"), "--node-name", "node2"],
      {
        KITCHENSINK_TOKEN: place.token,
      },
    );
    expect(code).toBe(1);
    expect(stderr).toContain(String(one.pid));
  });

  test("attack 15: another cluster's node that asks for data is refused, with both names", async () => {
    const place = processes();
    const one = await place.start("node1", flags());
    const response = await fetch(new URL("/v1/replicas/one", one.url), {
      headers: { authorization: `Bearer ${place.token}`, "kitchensink-cluster": "other" },
    });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({
      code: "KS_CONFLICT",
      detail: expect.stringMatching(new RegExp(`"${cluster}".*"other"`)),
    });
  });

  test("attack 15: a node without a token is refused where the others have one, and the other way round", async () => {
    const place = processes();
    const one = await place.start("node1", flags());
    const directory = temporaryDirectory();
    const without = await start([...flags(), "--no-token", "--datadir", directory, "--node-name", "node2"]);
    expect(without.code).toBe(1);
    expect(without.stderr).toContain(`Cannot join the cluster "${cluster}"`);
    await stop(one);
    const open = await place.start("node3", ["--cluster", `${cluster}-open`, "--no-token"]);
    const withOne = await start(
      ["--cluster", `${cluster}-open`, "--datadir", directory, "--node-name", "node4"],
      { KITCHENSINK_TOKEN: place.token },
    );
    expect(withOne.code).toBe(1);
    expect(withOne.stderr).toContain(`Cannot join the cluster "${cluster}-open"`);
    await stop(open);
  });

  test("attack 15: who was refused is no member, took no job, and left nothing", async () => {
    const place = processes();
    const one = await place.start("node1", flags());
    const client = place.connect(one);
    const { code } = await start([...flags(), "--datadir", temporaryDirectory(), "--node-name", "node2"], {
      KITCHENSINK_TOKEN: "another-token-than-theirs-0123456789",
    });
    expect(code).toBe(1);
    expect((await client.nodes()).map(({ name }) => name)).toEqual(["node1"]);
    expect(await client.call(() => 1)).toBe(1);
  });

  test("attack 15: neither token is in what the two said to each other or to their users", async () => {
    const place = processes();
    const one = await place.start("node1", [...flags(), "--log-level", "debug"]);
    const other = "another-token-than-theirs-0123456789";
    const { stdout, stderr } = await start(
      [...flags(), "--datadir", temporaryDirectory(), "--node-name", "node2", "--log-level", "debug"],
      { KITCHENSINK_TOKEN: other },
    );
    for (const said of [stdout, stderr, one.command.stdout, one.command.stderr])
      for (const token of [place.token, other]) expect(said).not.toContain(token);
  });

  test.each(["/v1/replicas/one", "/v1/data/one", "/v1/catalog", "/v1/nodes"])(
    "attack 15: another node's %s is not had with another token",
    async (path) => {
      const place = processes();
      const one = await place.start("node1", flags());
      const response = await fetch(new URL(path, one.url), {
        headers: { authorization: "Bearer another-token-than-theirs", "kitchensink-cluster": cluster },
      });
      expect(response.status).toBe(401);
    },
  );
});
