import { describe, expect, test } from "vitest";
import { KitchenError } from "../../src/core/errors.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";

describe("the address of a Redis", () => {
  test.each([
    ["tcp://localhost:6379?db=9", { host: "localhost", port: 6379, db: 9 }],
    ["tcp://localhost", { host: "localhost", port: 6379, db: 0 }],
    ["redis://10.0.0.1:7000/3", { host: "10.0.0.1", port: 7000, db: 3 }],
    ["redis://user:p%40ss@h:1/2", { host: "h", username: "user", password: "p@ss", db: 2 }],
    ["redis://:secret@h:1", { username: undefined, password: "secret" }],
    ["rediss://h:1?db=4", { db: 4, tls: {} }],
    ["tcp://[::1]:6379", { host: "::1", port: 6379 }],
    ["unix:/run/redis.sock?db=9", { path: "/run/redis.sock", db: 9, host: undefined, port: undefined }],
    ["unix:///run/redis.sock", { path: "/run/redis.sock", db: 0 }],
  ])("%s is read", (text, expected) => {
    expect(parseRedisAddress(text)).toMatchObject(expected);
  });

  test("what is shown names everything but the password", () => {
    expect(parseRedisAddress("tcp://localhost:6379?db=9").shown).toBe("tcp://localhost:6379?db=9");
    const { shown } = parseRedisAddress("redis://user:hush@h:7000/3");
    expect(shown).toBe("redis://user@h:7000?db=3");
    expect(parseRedisAddress("unix:/run/r.sock?db=1&password=hush").shown).toBe("unix:/run/r.sock?db=1");
  });

  test.each([
    "localhost:6379",
    "http://localhost:6379",
    "6379",
    "",
    "tcp://",
    "tcp://h:1?db=x",
    "tcp://h:1/x",
    "tcp://h:99999",
    "tcp://h:1?dbb=9",
    "unix:relative",
    "redis://u:%zz@h",
  ])("%j is refused with what is expected instead", (text) => {
    expect(() => parseRedisAddress(text)).toThrow(KitchenError);
    expect(() => parseRedisAddress(text)).toThrow(
      /^Not an address of a Redis: .* \(expected tcp:\/\/host:port\?db=9/,
    );
  });

  test("a refusal does not show the password", () => {
    expect(() => parseRedisAddress("redis://user:hush@h:1/x")).toThrow(/^(?!.*hush)/);
  });
});
