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
    ["tcp://h:1?password=a%26b", { password: "a&b" }],
    [
      "rediss://h:1?ca=/etc/ca.pem&servername=redis.internal&cert=c.pem&key=k.pem",
      { tls: { ca: "/etc/ca.pem", servername: "redis.internal", cert: "c.pem", key: "k.pem" } },
    ],
    [
      "redis+sentinel://u:p%40ss@h1:1,[::1]:2,h3/mymaster?db=9&sentinel-username=s&sentinel-password=t",
      {
        kind: "sentinel",
        hosts: [
          { host: "h1", port: 1 },
          { host: "::1", port: 2 },
          { host: "h3", port: 26379 },
        ],
        masterName: "mymaster",
        db: 9,
        username: "u",
        password: "p@ss",
        sentinelUsername: "s",
        sentinelPassword: "t",
        host: undefined,
        tls: undefined,
      },
    ],
    ["rediss+sentinel://h/m%20m?ca=/ca", { masterName: "m m", tls: { ca: "/ca" }, db: 0 }],
    [
      "redis+cluster://:hush@h1:7000,h2",
      {
        kind: "cluster",
        hosts: [
          { host: "h1", port: 7000 },
          { host: "h2", port: 6379 },
        ],
        password: "hush",
        username: undefined,
        db: 0,
      },
    ],
    ["rediss+cluster://h1?servername=n", { kind: "cluster", tls: { servername: "n" } }],
    ["REDIS+CLUSTER://h/0", { kind: "cluster", db: 0 }],
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
    ["redis+sentinel://u:hush@[::1],b:2/m%20m?sentinel-password=hush&sentinel-username=s&db=3"],
    ["redis+cluster://:hush@a:1,b:2"],
    ["rediss+cluster://u:hush@a?ca=/a%20b%26c%2B/ca.pem&servername=n"],
    ["rediss://u:hush@h:1/4?cert=/c.pem&key=/k.pem"],
  ])("what is shown of %s is the same address, without its passwords", (text) => {
    const { shown, password, sentinelPassword, ...rest } = parseRedisAddress(text);
    expect(shown).not.toContain("hush");
    expect([password, sentinelPassword]).toContain("hush");
    expect(parseRedisAddress(shown)).toEqual({
      ...rest,
      shown,
      password: undefined,
      sentinelPassword: undefined,
    });
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
    "redis+sentinel://h1,h2",
    "redis+sentinel:///mymaster",
    "redis+sentinel://h1/a/b",
    "redis+sentinel://h1,,h2/m",
    "redis+sentinel://h1:x/m",
    "redis+sentinel://h1/m?ca=/ca",
    "redis+cluster://",
    "redis+cluster://h1?sentinel-password=x",
    "redis+foo://h1",
    "rediss://h?cert=/c.pem",
    "rediss://h?ca=",
  ])("%j is refused with what is expected instead", (text) => {
    expect(() => parseRedisAddress(text)).toThrow(KitchenError);
    expect(() => parseRedisAddress(text)).toThrow(
      /^Not an address of a Redis: .* \(expected tcp:\/\/host:port\?db=9/,
    );
  });

  test.each([
    ["redis+cluster://h1:1,h2:2?db=9", /a Redis Cluster has no database but 0/],
    ["redis+cluster://h1/9", /a Redis Cluster has no database but 0/],
    ["redis+sentinel://h1,h2?db=9", /it must name the master behind the hosts/],
    ["redis://h1:1,h2:2/9", /several hosts go with redis\+sentinel:\/\/ or redis\+cluster:\/\//],
    ["redis://h?ca=/ca.pem", /the option ca is for TLS, with rediss/],
    ["rediss://h?key=/k.pem", /the options cert and key belong together/],
    ["redis://u:pa#ss@h", /it is not a URL/],
    ["tcp://h?password=pa#ss", /a # in it must be written %23/],
  ])("%s is refused with the reason", (text, why) => {
    expect(() => parseRedisAddress(text)).toThrow(why);
  });

  test.each([
    "redis://user:hush@h:1/x",
    "redis://user:hush:hush@h:1/x",
    "redis://:hush/hush@h:1/9",
    "redis://u:hush#hush@h",
    "redis://u:hush?hush@h",
    "redis:u:hush@h",
    "tcp://h?passwort=hush",
    "tcp://h?password=hush#hush",
    "http://u:hush@h",
    "redis+cluster://u:hush@h1,h2/9",
    "redis+cluster://u:hush@hush@h1,h2/9",
    "redis+sentinel://u:hush@h1,h2?sentinel-password=hush",
    "redis+sentinel://h1/m?sentinel-pasword=hush",
  ])("the refusal of %s does not show the password", (text) => {
    expect(() => parseRedisAddress(text)).toThrow(/^(?!.*hush)/s);
  });
});
