const { isMain, load } = require("./load.cjs");

const entry = load("../dist/index.js");

/** Has what comes back be of the classes that this vm context has. */
class Client extends entry.Client {
  static realm = globalThis;
}

module.exports = isMain ? entry : { ...entry, Client };
