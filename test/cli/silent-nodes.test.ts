/** What commands say of nodes that do not answer, asked of a node that knows of one. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { runCommand } from "../support/cli.ts";

/** The address of what answers as a node does whose neighbour is silent. */
async function beside(silent: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jobs: [], silent: [silent] }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test.each([[[]], [["--json"]]])("jobs may be missing also where none are listed %s", async (flags) => {
  const url = await beside("node2");
  const { code, stdout, stderr } = await runCommand(["jobs", "--url", url, ...flags]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect(stderr).toBe(
    `No job of that kind is known at ${url}\nnode2 does not answer: jobs that ended there are missing\n`,
  );
});

test("a job that is not found by a part of its id may have ended on a node that does not answer", async () => {
  const { code, stderr } = await runCommand(["result", "59a302", "--url", await beside("node2")]);
  expect(code).toBe(5);
  expect(stderr).toMatch(
    /begins or ends with 59a302; node2 does not answer: .* missing \(kitchensink jobs lists/,
  );
});
