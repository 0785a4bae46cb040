module.exports = require("./load.cjs").loadForHere("../dist/index.js", ["Client", "setupClient"]);
