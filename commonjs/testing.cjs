module.exports = require("./load.cjs").loadForHere("../dist/testing.js", ["startCluster"]);
