// The main flow by the client that hey-api generates.
//
// REGISTER_URL and REGISTER_TOKEN name a register and a committee's token. Prints a line for each step that passed; ends
// with status 1 at the first surprise.
import * as register from "./register/index.js";
import { client } from "./register/client.gen.js";

client.setConfig({
  baseUrl: process.env.REGISTER_URL ?? "http://127.0.0.1:8080",
  auth: process.env.REGISTER_TOKEN ?? "",
});
const day = (offset: number): string =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/London" }).format(Date.now() + offset * 86400000);
const newKey = () => crypto.randomUUID();

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response?: Response;
}

/** The document of an answer with the status expected. */
function expected<Data>(status: number, answer: Answer<Data>): NonNullable<Data> {
  if (answer.response?.status !== status) {
    throw new Error(`${answer.response?.status} instead of ${status}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data as NonNullable<Data>;
}

const tagOf = (answer: { response?: Response }): string => answer.response?.headers.get("ETag") ?? "";

const newReferral = (): register.ReferralInput => ({
  source_system: "generated-client", source_reference: `flow-${newKey()}`,
  committee: "GLA", local_authority: "S12000049", notified_on: day(-5), aware_on: day(-10),
  incident_kind: "single_event", criteria_claimed: ["abuse_or_neglect"], immediate_concerns: "none",
  basis: "Several services see learning for how they work together.",
  children: [{ child_id: newKey(), outcome: "significant_harm", age_band: "5_10", sex: "female" }],
});

async function push(): Promise<string> {
  const request = { headers: { "Idempotency-Key": newKey() }, body: newReferral() };
  const first = expected(201, await register.pushReferral(request));
  const again = await register.pushReferral(request);
  const replayed = again.response?.headers.get("Idempotency-Replayed");
  if (expected(201, again).id !== first.id || replayed !== "true") throw new Error("stored twice");
  return first.id;
}

async function batch(): Promise<void> {
  const result = expected(207, await register.pushReferrals({
    headers: { "Idempotency-Key": newKey() }, body: [{ ...newReferral() }, { source_system: "generated-client" }],
  }));
  const refusal = result.items[1]?.problem?.code;
  if (result.created !== 1 || result.refused !== 1 || refusal !== "schema_violation") {
    throw new Error(`another result: ${JSON.stringify(result)}`);
  }
}

async function accept(id: string): Promise<string> {
  const body = { accepted_on: day(0), case_id: null };
  const accepted = await register.acceptReferral({ path: { id }, headers: { "Idempotency-Key": newKey() }, body });
  const caseId = expected(201, accepted).case_id;
  if (caseId === null) throw new Error("an accepted referral has no case");
  return caseId;
}

async function move(id: string, to: register.Stage): Promise<void> {
  const current = expected(200, await register.getCase({ path: { id } }));
  const headers = { "If-Match": current.etag, "Idempotency-Key": newKey() };
  expected(201, await register.moveCase({ path: { id }, headers, body: { to, occurred_on: day(0) } }));
}

async function recommend(id: string): Promise<void> {
  expected(201, await register.putRecommendation({
    path: { id }, headers: { "If-None-Match": "*" },
    body: {
      made_on: day(0), made_by: "sub_group", recommended: "proceed", criteria_met: ["abuse_or_neglect"],
      current_circumstances_recorded: true, other_processes_considered: true,
      expected_learning: "How each service could have seen the whole.",
    },
  }));
}

async function act(id: string): Promise<void> {
  const plan = { title: "Agree how chronologies are kept", owner_organisation: "LA-S12000049", due_on: day(90) };
  const created = await register.createAction({ path: { id }, headers: { "Idempotency-Key": newKey() }, body: plan });
  const path = { id: expected(201, created).id };
  const read = await register.getAction({ path });
  expected(200, read);
  expected(304, await register.getAction({ path, headers: { "If-None-Match": tagOf(read) } }));
}

async function pollStatistics(): Promise<void> {
  const request = { path: { table: "decisions" }, query: { view: "live", committee: "GLA" } } as const;
  const read = await register.getStatistics(request);
  const figures = expected(200, read);
  if (typeof figures === "string" || figures.rows.length === 0) throw new Error("no figures");
  expected(304, await register.getStatistics({ ...request, headers: { "If-None-Match": tagOf(read) } }));
}

/** Reads the feed until an event of the case. */
async function follow(id: string): Promise<void> {
  for (let after: string | undefined; ;) {
    const page = expected(200, await register.listChanges({
      query: after === undefined ? { limit: 500 } : { limit: 500, after },
    }));
    if (!("items" in page)) throw new Error("not a page");
    if (page.items.some((event) => event.subject_id === id)) return;
    if (!page.more) throw new Error("the feed does not have the case");
    after = new URL(page.next).searchParams.get("after") ?? undefined;
  }
}

async function beRefused(): Promise<void> {
  const answer = await register.getCase({ path: { id: newKey() } });
  if (answer.response?.status !== 404 || answer.error?.code !== "not_found") throw new Error("a stranger's case");
}

const passed = (step: string) => console.log(`passed ${step}`);

await pollStatistics();
passed("statistics");
const pushed = await push();
passed("push");
await batch();
passed("batch");
const caseId = await accept(pushed);
passed("accept");
await move(caseId, "information_gathering");
await move(caseId, "recommendation");
await recommend(caseId);
await move(caseId, "decision");
passed("move");
await act(caseId);
passed("action");
await follow(caseId);
passed("feed");
await beRefused();
passed("refusal");
