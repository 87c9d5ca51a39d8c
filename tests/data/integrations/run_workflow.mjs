// Runs the jobs of a GitHub workflow as a runner would: `node run_workflow.mjs WORKFLOW CONTEXT`, results on standard output.
// Expressions are evaluated by GitHub's own library, and `run` is run by bash as it is there. What stands in for the
// service is the context, and the four actions that bring files in and out.
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Evaluator, Lexer, Parser, data } from "@actions/expressions";
import { parse } from "yaml";

const workflow = parse(readFileSync(process.argv[2], "utf8"));
const given = JSON.parse(readFileSync(process.argv[3], "utf8"));
const results = {};

const toData = (value) => {
  if (value === null || value === undefined) return new data.Null();
  if (typeof value === "string") return new data.StringData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "boolean") return new data.BooleanData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(toData));
  return new data.Dictionary(...Object.entries(value).map(([key, inner]) => ({ key, value: toData(inner) })));
};

const evaluate = (text, contexts, failed) => {
  const status = { always: () => true, success: () => !failed, failure: () => failed, cancelled: () => false };
  const functions = Object.entries(status).map(([name, call]) => ({
    name, description: name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(call()),
  }));
  const { tokens } = new Lexer(text).lex();
  const tree = new Parser(tokens, Object.keys(contexts), functions).parse();
  const known = new Map(functions.map((one) => [one.name, one]));
  return new Evaluator(tree, toData(contexts), known).evaluate();
};

const filled = (text, contexts) =>
  String(text).replace(/\$\{\{(.*?)\}\}/gs, (_, inner) => evaluate(inner, contexts, false).coerceString());
const filledAll = (fields, contexts) =>
  Object.fromEntries(Object.entries(fields ?? {}).map(([name, text]) => [name, filled(text, contexts)]));

// A condition without a status function asks for success too.
const holds = (condition, contexts, failed) => {
  if (condition === undefined) return !failed;
  const text = String(condition).replace(/^\s*\$\{\{(.*)\}\}\s*$/s, "$1");
  const asked = /\b(always|success|failure|cancelled)\s*\(/.test(text);
  const met = evaluate(text, contexts, failed);
  return (asked || !failed) && !["", "false", "0"].includes(met.coerceString());
};

const pairs = (file) =>
  Object.fromEntries(readFileSync(file, "utf8").split("\n").filter(Boolean).map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  }));

for (const [id, job] of Object.entries(workflow.jobs)) {
  const needs = Object.fromEntries([job.needs ?? []].flat().map((name) => [name, results[name]]));
  const contexts = {
    github: { event: given.event, event_name: "issues", repository: given.repository },
    vars: given.vars, secrets: given.secrets, needs, steps: {}, env: {}, runner: {},
  };
  const unmet = Object.values(needs).some((need) => need.result !== "success");
  const result = { result: "skipped", outputs: {}, steps: [] };
  results[id] = result;
  if (!holds(job.if, contexts, unmet)) continue;

  const folder = join(given.folder, id);
  const [work, temp] = [join(folder, "work"), join(folder, "temp")];
  for (const place of [work, temp]) mkdirSync(place, { recursive: true });
  const files = Object.fromEntries(["OUTPUT", "ENV", "PATH", "STEP_SUMMARY"].map((name) => [`GITHUB_${name}`, join(folder, name)]));
  const event = join(folder, "event.json");
  writeFileSync(event, JSON.stringify(given.event));
  for (const name of ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"]) writeFileSync(files[name], "");
  contexts.runner = { temp };
  contexts.github.workspace = work;
  const ofJob = { ...filledAll(workflow.env, contexts), ...filledAll(job.env, contexts) };
  let failed = false;

  const actions = {
    "actions/checkout": () => spawnSync("git", ["clone", "--quiet", given.origin, "."], { cwd: work, encoding: "utf8" }),
    "actions/upload-artifact": ({ name, path }) => cpSync(path, join(given.folder, "artifacts", name), { recursive: true }),
    "actions/download-artifact": ({ name, path }) => cpSync(join(given.folder, "artifacts", name), path, { recursive: true }),
  };
  for (const step of job.steps) {
    const name = step.name ?? step.uses;
    if (!holds(step.if, contexts, failed)) {
      result.steps.push({ name, outcome: "skipped" });
      continue;
    }
    let ran = { status: 0 };
    writeFileSync(files.GITHUB_OUTPUT, "");
    if (step.uses) {
      ran = actions[step.uses.split("@")[0]](filledAll(step.with, contexts)) ?? ran;
    } else {
      const script = join(folder, "step.sh");
      writeFileSync(script, filled(step.run, contexts));
      const shell = (step.shell ?? workflow.defaults?.run?.shell) === "bash" ? ["--noprofile", "--norc", "-eo", "pipefail"] : ["-e"];
      const path = readFileSync(files.GITHUB_PATH, "utf8").split("\n").filter(Boolean).reverse();
      const env = {
        ...process.env, ...ofJob, ...pairs(files.GITHUB_ENV), ...filledAll(step.env, contexts), ...files,
        GITHUB_EVENT_PATH: event, GITHUB_WORKSPACE: work, GITHUB_REPOSITORY: given.repository, RUNNER_TEMP: temp, CI: "true",
        PATH: [...path, process.env.PATH].join(":"),
      };
      ran = spawnSync("bash", [...shell, script], { cwd: work, env, encoding: "utf8" });
    }
    const outcome = ran.status === 0 ? "success" : "failure";
    failed ||= outcome === "failure";
    if (step.id) contexts.steps[step.id] = { outcome, outputs: pairs(files.GITHUB_OUTPUT) };
    result.steps.push({ name, outcome, stdout: ran.stdout, stderr: ran.stderr });
  }
  result.result = failed ? "failure" : "success";
  result.outputs = filledAll(job.outputs, contexts);
  result.summary = readFileSync(files.GITHUB_STEP_SUMMARY, "utf8");
  result.left = existsSync(join(temp, "legwork.key")) ? ["legwork.key"] : [];
  appendFileSync(join(given.folder, "log"), `${id} ${result.result}\n`);
}
console.log(JSON.stringify(results));
