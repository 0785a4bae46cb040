import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Entry, Journal } from "../../src/data/journal.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { bytesOf, factsOf, url } from "./support/directories.ts";

const ROUNDS = 600;

const entry = (name: string): Entry => ({
  replica: { ...factsOf(name, bytesOf(10)), createdAtMs: 1 },
  mtimeMs: 2,
  ctimeMs: 3,
});
const linesOf = (path: string): string[] => readFileSync(path, "utf8").trim().split("\n");

/** A journal in which one replica was kept, and another came and went as often as a journal stays as it is. */
async function wordyJournal(path: string): Promise<Journal> {
  const { journal } = await Journal.open(path);
  await journal.keep(entry("stays"));
  const changes = Array.from({ length: ROUNDS }, () => [
    journal.keep(entry("goes")),
    journal.drop(url("goes")),
  ]);
  await Promise.all(changes.flat());
  return journal;
}

async function namesIn(path: string): Promise<string[]> {
  const { journal, entries, badLines } = await Journal.open(path);
  expect(badLines).toBe(0);
  await journal.close();
  return [...entries.keys()].toSorted();
}

test("a journal is written anew while it is in use, with what was kept before, and then goes on", async () => {
  const directory = temporaryDirectory();
  const path = join(directory, "journal");
  // As a process leaves it that was killed while it wrote.
  writeFileSync(join(directory, "journal.new"), '{"url":"torn');
  const journal = await wordyJournal(path);
  await journal.keep(entry("after"));
  expect(linesOf(path)).toHaveLength(2);
  await journal.drop(url("stays"));
  await journal.keep(entry("last"));
  await journal.close();
  expect(linesOf(path)).toHaveLength(4);
  expect(await namesIn(path)).toEqual(["after", "last"]);
  expect(readdirSync(directory)).toEqual(["journal"]);
});

test("a journal that cannot be written anew goes on as it is", async () => {
  const directory = temporaryDirectory();
  const path = join(directory, "journal");
  const obstacle = join(directory, "journal.new");
  mkdirSync(obstacle);
  const journal = await wordyJournal(path);
  await journal.keep(entry("after"));
  await journal.close();
  expect(linesOf(path)).toHaveLength(2 * ROUNDS + 2);
  rmdirSync(obstacle);
  expect(await namesIn(path)).toEqual(["after", "stays"]);
});
