#!/usr/bin/env node
// Polls a table of statistics and prints it, as CSV, each time it has changed. Needs nothing but Node.js 18 or newer.
//
//   poll.mjs decisions [--every SECONDS] [--times N]
//
// REGISTER_URL and REGISTER_TOKEN name the register and a token with the scope statistics.read. Exact figures of this
// moment are 'decisions?view=live', for the inspectorate and national bodies with the scope statistics.unsuppressed; a
// committee needs only statistics.read for its own, 'decisions?view=live&committee=GLA'. While nothing has changed the
// register answers 304 without a body.
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

const { REGISTER_URL, REGISTER_TOKEN } = process.env;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { every: { type: "string", default: "60" }, times: { type: "string", default: "Infinity" } },
});

if (!REGISTER_URL || !REGISTER_TOKEN) throw new Error("REGISTER_URL and REGISTER_TOKEN are needed");
if (positionals.length !== 1) throw new Error("which table? GET /v1/statistics lists them");

/** Asks once: what it says, its tag, and the seconds until it makes sense to ask again. */
async function ask(tag) {
  const headers = { Authorization: `Bearer ${REGISTER_TOKEN}`, Accept: "text/csv", ...(tag && { "If-None-Match": tag }) };
  const answer = await fetch(`${REGISTER_URL}/v1/statistics/${positionals[0]}`, {
    headers,
    signal: AbortSignal.timeout(20000),
  });
  if (answer.status === 304) return { tag };
  const text = await answer.text();
  if (answer.ok) return { tag: answer.headers.get("ETag"), text };
  const problem = JSON.parse(text);
  if (problem.retryable !== true) refuse(problem);
  return { tag, wait: Number(answer.headers.get("Retry-After") ?? values.every) };
}

function refuse(problem) {
  console.error(`${problem.code}: ${problem.detail}`);
  process.exit(1);
}

for (let tag, times = Number(values.times); times > 0; times--) {
  let told = { tag };
  try {
    told = await ask(tag);
  } catch (trouble) {
    console.error(`no answer: ${trouble.message}`);
  }
  tag = told.tag;
  if (told.text) process.stdout.write(told.text);
  if (times > 1) await pause(1000 * (told.wait ?? Number(values.every)));
}
