// Calls a legwork primitive, and retries as its envelope says: call.ts PRIMITIVE '{"field": "value"}'
// Only Node's standard library, 18 or newer.
import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

export type Fields = Record<string, unknown>;
export type Answer = Fields & { ok: boolean; retry?: { mode: string; after_ms?: number }; next: { primitive: string; input: Fields }[] };

/** What one call may take, which is more than its `timeout_s`, and what it may take to answer SIGTERM. */
const TIMEOUT_MS = Number(process.env["LEGWORK_TIMEOUT_S"] ?? 3_600) * 1_000;
const KILL_AFTER_MS = Number(process.env["LEGWORK_KILL_AFTER_S"] ?? 10) * 1_000;

/** Sends one call. Returns its envelope, or undefined where the process was killed or left no whole line. */
function send(primitive: string, input: Fields): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const legwork = spawn("legwork", [primitive, "--spec", "-"], { stdio: ["pipe", "pipe", "inherit"] });
    const term = setTimeout(() => legwork.kill("SIGTERM"), TIMEOUT_MS);
    const kill = setTimeout(() => legwork.kill("SIGKILL"), TIMEOUT_MS + KILL_AFTER_MS);
    const parts: Buffer[] = [];
    legwork.stdout.on("data", (part: Buffer) => parts.push(part));
    // A call that was refused before it read its input closes the pipe, which is its right.
    legwork.stdin.on("error", () => undefined).end(JSON.stringify(input));
    legwork.on("error", reject);
    // What a dead process left open for others does not keep this one waiting.
    legwork.on("exit", () => setTimeout(() => legwork.stdout.destroy(), 5_000).unref());
    legwork.on("close", () => {
      clearTimeout(term);
      clearTimeout(kill);
      resolve(envelope(Buffer.concat(parts).toString("utf8")));
    });
  });
}

/** Reads what a call printed. The one line counts, whatever the exit status. */
function envelope(text: string): Answer | undefined {
  if (!text.endsWith("\n")) return undefined;
  try {
    const answer = JSON.parse(text);
    return typeof answer?.ok === "boolean" ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the last envelope: `ok` true, or a failure that the same call will not fix. */
export async function call(primitive: string, input: Fields = {}, attempts = 5): Promise<Answer> {
  let answer: Answer | undefined;
  const made = new Set<string>();
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const latest = await send(primitive, input);
    answer = latest ?? answer;
    if (latest?.ok || attempt === attempts) break;
    // Without an envelope nobody knows what happened: the same input finds out.
    const mode = latest ? latest.retry?.mode : "same_call";
    if (mode === "same_call") {
      await pause(100 * attempt);
    } else if (mode === "after") {
      await pause(latest?.retry?.after_ms ?? 1_000);
    } else if (mode === "sequence" || mode === "reconcile_first") {
      // The call in `next` comes first, and once: where it did not help, somebody else has to decide.
      const [first] = latest?.next ?? [];
      if (!first || made.has(JSON.stringify(first))) break;
      made.add(JSON.stringify(first));
      if (!(await call(first.primitive, first.input, attempts - attempt)).ok) break;
    } else {
      break;
    }
  }
  if (!answer) throw new Error(`${primitive} left no envelope`);
  return answer;
}

if (/\bcall\.[jt]s$/.test(process.argv[1] ?? "")) {
  const [primitive = "", input = "{}"] = process.argv.slice(2);
  call(primitive, JSON.parse(input)).then(
    (answer) => {
      process.exitCode = answer.ok ? 0 : 1;
      process.stdout.write(`${JSON.stringify(answer)}\n`);
    },
    (error: Error) => {
      process.exitCode = 1;
      console.error(error.message);
    },
  );
}
