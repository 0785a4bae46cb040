// Cases in which versions of Node differ, for the tests between versions alone.
export const cases = {
  "properties under Symbol.dispose and Symbol.asyncDispose": {
    value: () => ({ [Symbol.dispose]: () => 1, [Symbol.asyncDispose]: () => 2 }),
    check(object, assert) {
      assert.equal(object[Symbol.dispose]?.(), 1);
      assert.equal(object[Symbol.asyncDispose]?.(), 2);
    },
  },
  "a class with methods under Symbol.dispose and Symbol.asyncDispose": {
    value: () =>
      class {
        [Symbol.dispose]() {
          return 1;
        }
        static [Symbol.asyncDispose]() {
          return 2;
        }
      },
    check(Class, assert) {
      assert.equal(new Class()[Symbol.dispose](), 1);
      assert.equal(Class[Symbol.asyncDispose](), 2);
    },
  },
  "a builtin function that is new": {
    value: () => ({ round: Math.f16round }),
    check({ round }, assert) {
      if (round !== undefined) assert.equal(round, Math.f16round);
    },
  },
  "a builtin module that is new": {
    value() {
      const sqlite = process.getBuiltinModule("node:sqlite");
      return () => sqlite?.DatabaseSync;
    },
    check(f, assert) {
      const DatabaseSync = f();
      if (DatabaseSync !== undefined)
        assert.equal(DatabaseSync, process.getBuiltinModule("node:sqlite").DatabaseSync);
    },
  },
  "a function with syntax that is new": {
    value() {
      try {
        return new Function("return () => /(?i:a)/.test('A')")();
      } catch {
        return () => true;
      }
    },
    check: (f, assert) => assert.equal(f(), true),
  },
};
