module.exports = require("./load.cjs").load("../dist/testing.js");
