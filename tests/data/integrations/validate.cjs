// Checks the schemas of a folder against draft 2020-12, and the cases on standard input against them (ajv, strict).
const { readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const Ajv2020 = require("ajv/dist/2020").default;

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, validateSchema: true });
const folder = process.argv[2];
const names = [];
const visit = (below) => {
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const path = join(below, entry.name);
    if (entry.isDirectory()) visit(path);
    else if (path !== "index.json") names.push(path.replace(/\.json$/, ""));
  }
};
visit("");
const validators = new Map();
for (const name of names) {
  const schema = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  try {
    validators.set(name, ajv.compile(schema));
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exit(1);
  }
}
const cases = JSON.parse(readFileSync(0, "utf8"));
const fits = cases.map(({ schema, value }) => validators.get(schema)(value));
console.log(JSON.stringify({ schemas: names.length, fits }));
