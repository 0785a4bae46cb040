module.exports = require("./load.cjs").load("../dist/capture.js");
