/** What docs/operations.md has for systemd, Docker and Kubernetes goes together. */
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { blocksOf, pages } from "./support/markdown.ts";

const blocks = blocksOf("docs/operations.md");

test("a node is given longer to end than its jobs", () => {
  const graces = blocks.flatMap(({ text }) => {
    const [, grace] = /--grace[ =](\d+)s/.exec(text) ?? [];
    const [, limit] =
      /(?:TimeoutStopSec=|--stop-timeout |terminationGracePeriodSeconds: )(\d+)/.exec(text) ?? [];
    return grace === undefined ? [] : [{ grace: Number(grace), limit: Number(limit) }];
  });
  expect(graces).toHaveLength(3);
  for (const { grace, limit } of graces) expect(limit).toBeGreaterThan(grace);
});

test("a new volume belongs to the user of the image, and is not gone through at every mount", () => {
  const image = blocks.find(({ language }) => language === "dockerfile");
  expect(image?.text).toMatch(/^USER node$/m);
  const manifests = blocks.find(({ text }) => text.includes("kind: StatefulSet"));
  const set = parseAllDocuments(manifests?.text ?? "")
    .map((document) => document.toJS() as { kind: string; spec: { template: { spec: object } } })
    .find(({ kind }) => kind === "StatefulSet");
  // In the images of Node, the user node is 1000.
  expect(set?.spec.template.spec).toMatchObject({
    securityContext: { fsGroup: 1000, fsGroupChangePolicy: "OnRootMismatch" },
  });
});

test("systemd starts a node until its Redis is there, and not when its arguments are wrong", () => {
  const unit = blocks.find(({ language }) => language === "ini")?.text.split("\n");
  expect(unit).toEqual(
    expect.arrayContaining(["StartLimitIntervalSec=0", "Restart=on-failure", "RestartPreventExitStatus=2"]),
  );
});

test("no command of the pages has a password of a Redis, which others could read there", () => {
  const commands = pages()
    .flatMap(blocksOf)
    .filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.replaceAll("\\\n", " ").split("\n"));
  expect(commands.length).toBeGreaterThan(20);
  expect(commands.filter((line) => /rediss?(?:\+\w+)?:\/\/[^/\s]*:[^/\s]*@/.test(line))).toEqual([]);
});
