#!/usr/bin/env node
// Follows the change feed of the register and prints a line for each event. Needs nothing but Node.js 18 or newer.
//
// REGISTER_URL and REGISTER_TOKEN name the register and a token with the scope changes.read. REGISTER_POSITION names a
// file that keeps the position, so that a later start continues there. With --once it ends when there is
// nothing more for now. An event says what changed; read the resource at its address to see how.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const { REGISTER_URL, REGISTER_TOKEN, REGISTER_POSITION } = process.env;
const once = process.argv.includes("--once");

if (!REGISTER_URL || !REGISTER_TOKEN) throw new Error("REGISTER_URL and REGISTER_TOKEN are needed");

/** Where to begin: the position kept, or the snapshot of what there is now. */
function beginning() {
  const kept = REGISTER_POSITION && existsSync(REGISTER_POSITION) ? readFileSync(REGISTER_POSITION, "utf8").trim() : "";
  return kept || `${REGISTER_URL}/v1/changes/snapshot`;
}

/** Keeps a position as a whole or not at all. */
function keep(position) {
  if (!REGISTER_POSITION) return;
  writeFileSync(`${REGISTER_POSITION}.new`, `${position}\n`);
  renameSync(`${REGISTER_POSITION}.new`, REGISTER_POSITION);
}

/** The page at an address, after as many attempts as it takes; a refusal that will not pass ends the program. */
async function page(address) {
  for (let pauseSeconds = 1; ; pauseSeconds = Math.min(2 * pauseSeconds, 60)) {
    let asked = pauseSeconds;
    try {
      const answer = await fetch(address, {
        headers: { Authorization: `Bearer ${REGISTER_TOKEN}`, Accept: "application/json" },
        signal: AbortSignal.timeout(45000),
      });
      const document = await answer.json();
      if (answer.ok) return document;
      if (document.retryable !== true) return refuse(document);
      asked = Number(answer.headers.get("Retry-After") ?? asked);
    } catch (trouble) {
      console.error(`no answer: ${trouble.message}`);
    }
    await pause(1000 * asked);
  }
}

function refuse(problem) {
  console.error(`${problem.code}: ${problem.detail}`);
  if (problem.code === "cursor_expired") console.error("The position is too old: remove its file and start again.");
  process.exit(1);
}

/** The next address, always on the machine that the token is for. */
function onward(next) {
  const address = new URL(next);
  const home = new URL(REGISTER_URL);
  if (address.origin !== home.origin) throw new Error(`${address.origin} is not the register`);
  if (!once && address.pathname === "/v1/changes") address.searchParams.set("wait", "30");
  return address.href;
}

for (let address = onward(beginning()), more = true; more || !once; ) {
  const found = await page(address);
  for (const event of found.items) {
    console.log(`${event.occurred_at} ${event.type} ${event.links.self ?? event.subject_id}`);
  }
  // After the events: an interrupted run repeats some events but misses none.
  keep(found.next);
  address = onward(found.next);
  more = found.more;
}
