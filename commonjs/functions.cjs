module.exports = require("./load.cjs").load("../dist/functions.js");
