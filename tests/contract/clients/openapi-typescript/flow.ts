// The main flow by openapi-fetch with the types that openapi-typescript generates.
//
// REGISTER_URL and REGISTER_TOKEN name a register and a committee's token. Prints a line for each step that passed; ends
// with status 1 at the first surprise.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

type Schemas = components["schemas"];

// Statistics come as CSV too; this client takes JSON only.
const client = createClient<paths, "application/json" | "application/problem+json">({
  baseUrl: process.env.REGISTER_URL ?? "http://127.0.0.1:8080",
  headers: { Authorization: `Bearer ${process.env.REGISTER_TOKEN ?? ""}` },
});
const day = (offset: number): string =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/London" }).format(Date.now() + offset * 86400000);
const newKey = () => crypto.randomUUID();

interface Answer<Data> {
  data?: Data;
  error?: Schemas["Problem"];
  response: Response;
}

/** The document of an answer with the status expected. */
function expected<Data>(status: number, answer: Answer<Data>): Data {
  if (answer.response.status !== status) {
    const told = answer.error ? `${answer.error.code}: ${answer.error.detail}` : "";
    throw new Error(`${answer.response.url}: ${answer.response.status} instead of ${status} ${told}`);
  }
  return answer.data as Data;
}

function tagOf(answer: { response: Response }): string {
  const tag = answer.response.headers.get("ETag");
  if (tag === null) throw new Error(`${answer.response.url}: no ETag`);
  return tag;
}

const newReferral = (): Schemas["ReferralInput"] => ({
  source_system: "typed-client", source_reference: `flow-${newKey()}`,
  committee: "GLA", local_authority: "S12000049", notified_on: day(-5), aware_on: day(-10),
  incident_kind: "single_event", criteria_claimed: ["abuse_or_neglect"], immediate_concerns: "none",
  basis: "Several services see learning for how they work together.",
  children: [{ child_id: newKey(), outcome: "significant_harm", age_band: "5_10", sex: "female" }],
});

async function push(): Promise<Schemas["Referral"]> {
  const request = { params: { header: { "Idempotency-Key": newKey() } }, body: newReferral() };
  const first = expected(201, await client.POST("/v1/referrals", request));
  const again = await client.POST("/v1/referrals", request);
  if (expected(201, again).id !== first.id || again.response.headers.get("Idempotency-Replayed") !== "true") {
    throw new Error("the repetition was not recognised");
  }
  return first;
}

async function batch(): Promise<void> {
  const result = expected(207, await client.POST("/v1/referrals/batch", {
    params: { header: { "Idempotency-Key": newKey() } },
    body: [{ ...newReferral() }, { source_system: "typed-client" }],
  }));
  const refusal = result.items[1]?.problem?.code;
  if (result.created !== 1 || result.refused !== 1 || refusal !== "schema_violation") {
    throw new Error(`another result: ${JSON.stringify(result)}`);
  }
}

async function accept(id: string): Promise<string> {
  const taken = expected(201, await client.POST("/v1/referrals/{id}/acceptance", {
    params: { path: { id }, header: { "Idempotency-Key": newKey() } },
    body: { accepted_on: day(0), case_id: null },
  }));
  if (taken.case_id === null) throw new Error("an accepted referral has no case");
  return taken.case_id;
}

async function move(id: string, to: Schemas["TransitionInput"]["to"]): Promise<void> {
  const current = expected(200, await client.GET("/v1/cases/{id}", { params: { path: { id } } }));
  expected(201, await client.POST("/v1/cases/{id}/transitions", {
    params: { path: { id }, header: { "If-Match": current.etag, "Idempotency-Key": newKey() } },
    body: { to, occurred_on: day(0) },
  }));
}

async function recommend(id: string): Promise<void> {
  expected(201, await client.PUT("/v1/cases/{id}/recommendation", {
    params: { path: { id }, header: { "If-None-Match": "*" } },
    body: {
      made_on: day(0), made_by: "sub_group", recommended: "proceed", criteria_met: ["abuse_or_neglect"],
      current_circumstances_recorded: true, other_processes_considered: true,
      expected_learning: "How each service could have seen the whole.",
    },
  }));
}

async function addAction(id: string): Promise<string> {
  const made = expected(201, await client.POST("/v1/cases/{id}/actions", {
    params: { path: { id }, header: { "Idempotency-Key": newKey() } },
    body: { title: "Agree how chronologies are kept", owner_organisation: "LA-S12000049", due_on: day(90) },
  }));
  return made.id;
}

/** Reads an action, and again with its ETag: 304 as long as nothing changed. */
async function pollAction(id: string): Promise<void> {
  const read = await client.GET("/v1/actions/{id}", { params: { path: { id } } });
  expected(200, read);
  const none = { params: { path: { id }, header: { "If-None-Match": tagOf(read) } } };
  expected(304, await client.GET("/v1/actions/{id}", none));
}

/** Reads figures, and again with their ETag: 304 as long as nothing changed. */
async function pollStatistics(): Promise<void> {
  const path = { table: "decisions" };
  const query = { view: "live", committee: "GLA" } as const;
  const read = await client.GET("/v1/statistics/{table}", { params: { path, query } });
  if (expected(200, read).rows.length === 0) throw new Error("no figures");
  const again = { params: { path, query, header: { "If-None-Match": tagOf(read) } } };
  expected(304, await client.GET("/v1/statistics/{table}", again));
}

/** Reads the feed until an event of the case. */
async function follow(id: string): Promise<void> {
  for (let after: string | undefined; ;) {
    const page = expected(200, await client.GET("/v1/changes", {
      params: { query: after === undefined ? { limit: 500 } : { limit: 500, after } },
    }));
    if (page.items.some((event) => event.subject_id === id)) return;
    if (!page.more) throw new Error("the feed does not have the case");
    after = new URL(page.next).searchParams.get("after") ?? undefined;
  }
}

/** A refusal is a Problem whose code is one of the contract's. */
async function beRefused(): Promise<void> {
  const answer = await client.GET("/v1/cases/{id}", { params: { path: { id: newKey() } } });
  const code: Schemas["Problem"]["code"] | undefined = answer.error?.code;
  if (answer.response.status !== 404 || code !== "not_found") throw new Error(`a stranger's case: ${code}`);
}

const passed = (step: string) => console.log(`passed ${step}`);

await pollStatistics();
passed("statistics");
const pushed = (await push()).id;
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
await pollAction(await addAction(caseId));
passed("action");
await follow(caseId);
passed("feed");
await beRefused();
passed("refusal");
