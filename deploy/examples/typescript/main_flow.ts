// The main flow: a referral becomes a case with an action. Needs nothing but a runtime with fetch, such as Node.js.
//
// REGISTER_URL and REGISTER_TOKEN name a test register and the token of a committee's casework system. The
// documentation shows the parts between `// ---` lines with their operations.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

const { REGISTER_URL, REGISTER_TOKEN } = process.env;

type Json = Record<string, any>;
type Answer = { status: number; headers: Headers; document: any };

/** Sends a request; throws an error for a problem. */
async function send(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(REGISTER_URL + path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: {
      Authorization: `Bearer ${REGISTER_TOKEN}`,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...more,
    },
    signal: AbortSignal.timeout(30000),
  });
  const document = response.status === 304 ? null : await response.json();
  if (response.status >= 400) {
    throw new Error(`${document.code}: ${document.detail} ${JSON.stringify(document.errors)}`);
  }
  return { status: response.status, headers: response.headers, document };
}

/** A key for each new request; a repetition of the request has the same key. */
const newKey = () => ({ "Idempotency-Key": randomUUID() });

/** The day in Scotland, some days from now. */
const day = (offset = 0) =>
  new Date(Date.now() + offset * 86400000).toLocaleDateString("sv-SE", { timeZone: "Europe/London" });

const newReferral = (reference: string): Json => ({
  source_system: "example-typescript",
  source_reference: reference,
  committee: "GLA",
  local_authority: "S12000049",
  notified_on: day(),
  aware_on: day(),
  incident_kind: "accumulation",
  children: [{ child_id: `child-${reference}`, outcome: "significant_harm", age_band: "5_10", sex: "female" }],
  criteria_claimed: ["abuse_or_neglect"],
  immediate_concerns: "none",
  basis: "Several services see learning for how they work together.",
});

// --- pushReferral
async function pushReferral(referral: Json): Promise<Json> {
  const { status, headers, document } = await send("POST", "/v1/referrals", referral, newKey());
  console.log("pushed:", status, headers.get("Location")); // 201; 200 if the register has this referral already
  return document;
}
// ---

// --- pushReferrals
async function pushReferrals(referrals: Json[]): Promise<Json[]> {
  const { document } = await send("POST", "/v1/referrals/batch", referrals, newKey());
  for (const item of document.items) {
    if (item.status >= 400) console.log("refused:", item.index, item.problem.code, item.problem.errors);
  }
  return document.items;
}
// ---

// --- listReferrals
async function* listReferrals(filters: Record<string, string>): AsyncGenerator<Json> {
  let path: string | null = `/v1/referrals?${new URLSearchParams({ ...filters, limit: "200" })}`;
  while (path) {
    const { document: page }: Answer = await send("GET", path);
    yield* page.items;
    // `next` is an absolute address; it keeps the filters and the position.
    path = page.next && page.next.slice(REGISTER_URL!.length);
  }
}
// ---

// --- acceptReferral
async function acceptReferral(referral: Json): Promise<string> {
  // Without the identifier of an open case the register opens a new one.
  const acceptance = { case_id: null, accepted_on: day() };
  const { document } = await send("POST", `/v1/referrals/${referral.id}/acceptance`, acceptance, newKey());
  return document.case_id;
}
// ---

// --- getCase
async function getCase(caseId: string): Promise<{ found: Json; etag: string }> {
  const { headers, document } = await send("GET", `/v1/cases/${caseId}`);
  return { found: document, etag: headers.get("ETag")! };
}
// ---

// --- moveCase
async function moveCase(caseId: string, stage: string): Promise<string> {
  const { etag } = await getCase(caseId);
  const transition = { to: stage, occurred_on: day() };
  // 412: someone else changed the case. 409: something blocks the move; `errors` names it.
  const headers = { "If-Match": etag, ...newKey() };
  const { document } = await send("POST", `/v1/cases/${caseId}/transitions`, transition, headers);
  return document.stage;
}
// ---

// --- putRecommendation
async function putRecommendation(caseId: string): Promise<void> {
  const recommendation = {
    made_on: day(),
    made_by: "sub_group",
    recommended: "proceed",
    criteria_met: ["abuse_or_neglect"],
    current_circumstances_recorded: true,
    other_processes_considered: true,
    expected_learning: "How each service could have seen the whole.",
  };
  // If-None-Match creates it; If-Match with its ETag replaces it.
  await send("PUT", `/v1/cases/${caseId}/recommendation`, recommendation, { "If-None-Match": "*" });
}
// ---

// --- createAction
async function createAction(caseId: string): Promise<Json> {
  const action = {
    title: "Agree how chronologies are kept",
    owner_organisation: "LA-S12000049",
    due_on: day(90),
    status: "agreed",
    owner_accepted_on: day(),
    success_measure: "Nine of ten files hold a chronology.",
  };
  const { document } = await send("POST", `/v1/cases/${caseId}/actions`, action, newKey());
  return document;
}
// ---

// --- addActionUpdate
async function addActionUpdate(action: Json): Promise<Json> {
  const update = { reported_on: day(), progress: 25, note: "The working group has met." };
  const { document } = await send("POST", `/v1/actions/${action.id}/updates`, update, newKey());
  return document;
}
// ---

// --- getStatistics
async function getStatistics(etag?: string): Promise<{ etag: string; table: Json | null }> {
  const path = "/v1/statistics/decisions?view=live&committee=GLA";
  // With the tag of the last answer the status is 304 while nothing has changed.
  const { headers, document } = await send("GET", path, undefined, etag ? { "If-None-Match": etag } : {});
  return { etag: headers.get("ETag")!, table: document };
}
// ---

// --- listChanges
async function followChanges(position = "/v1/changes"): Promise<string> {
  for (let more = true; more; ) {
    const { document: page } = await send("GET", position);
    for (const event of page.items) console.log("changed:", event.type, event.links.self);
    position = page.next.slice(REGISTER_URL!.length);
    more = page.more;
  }
  return position; // keep it, and continue there next time
}
// ---

const run = randomUUID();
const referral = await pushReferral(newReferral(run));
const again = await pushReferrals([newReferral(run), newReferral(`${run}-2`)]);
assert.deepEqual(again.map((item) => item.status), [200, 201]);
const found: string[] = [];
const filters = { source_system: "example-typescript", source_reference: run };
for await (const one of listReferrals(filters)) found.push(one.id);
assert.deepEqual(found, [referral.id]);
const caseId = await acceptReferral(referral);
await moveCase(caseId, "information_gathering");
await moveCase(caseId, "recommendation");
await putRecommendation(caseId);
assert.equal(await moveCase(caseId, "decision"), "decision");
assert.equal((await addActionUpdate(await createAction(caseId))).progress, 25);
assert.ok((await getStatistics()).table?.rows.length);
assert.ok(await followChanges());
console.log("done:", (await getCase(caseId)).found.reference);
