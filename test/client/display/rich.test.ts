import { Client, RemoteData } from "kitchensink";
import { startCluster, type Cluster } from "kitchensink/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JUPYTER_DISPLAY, type RichDisplay, richTable } from "../../../src/client/display/rich.ts";

let cluster: Cluster;
beforeAll(async () => void (cluster = await startCluster()));
afterAll(() => cluster.close());

async function shown(value: object): Promise<RichDisplay> {
  const display = Reflect.get(value, JUPYTER_DISPLAY) as (this: object) => Promise<RichDisplay>;
  return await display.call(value);
}

test("a job shows its state, and is not waited for", async () => {
  const job = cluster.client.call(function squared(n: number) {
    return n * n;
  }, 2);
  await job;
  const { "text/plain": text, "text/html": html } = await shown(job);
  expect(text).toMatch(new RegExp(`^Job squared\\n  id +${job.id}\\n  state +succeeded\\n`));
  expect(html).toContain(`<td>${job.id}</td>`);
  const unknown = cluster.client.job("01a21804-f61a-70c9-9a99-073c887e272b");
  expect((await shown(unknown))["text/plain"]).toContain("There is no job");
});

test("remote data show their size and where they are; the bytes stay there", async () => {
  const data = await new RemoteData({ obj: [1, 2, 3], client: cluster.client }).save({ url: "my/table" });
  const { "text/plain": text } = await shown(data);
  expect(text).toMatch(/^RemoteData\n {2}url +my\/table\n {2}size +\d+ B\n {2}type +object, closure\n/);
  const client = new Client(cluster.urls[0]!, { token: cluster.token });
  const gone = new RemoteData({ dataUrl: "no/such", client });
  expect((await shown(gone))["text/plain"]).toContain("Nothing is saved under no/such");
  expect((await shown(new RemoteData({ obj: 1 })))["text/plain"]).toContain("unsaved");
  await client.close();
});

test("what users wrote is text in the HTML, too", () => {
  const { "text/html": html } = richTable(`<b>"title"</b>`, { "<i>": "a & b's", left: undefined });
  expect(html).not.toMatch(/<b>|<i>|left<|"title"/);
  expect(html).toContain("a &amp; b&#39;s");
});
