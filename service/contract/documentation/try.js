// The form that sends a request. Only a register in development mode serves this part.
{
  const KEY = "Idempotency-Key";

  function field(form, label, value, element = "input") {
    const id = `try-${document.querySelectorAll(".try label").length}`;
    const name = form.appendChild(document.createElement("label"));
    const input = form.appendChild(document.createElement(element));
    name.htmlFor = input.id = id;
    name.textContent = label;
    input.value = value;
    input.autocomplete = "off";
    return input;
  }

  function parametersOf(form, section) {
    return [...section.querySelectorAll("code[data-in]")].map((one) => ({
      name: one.textContent, place: one.dataset.in,
      input: field(form, `${one.textContent} (${one.dataset.in})`,
        one.textContent === KEY ? crypto.randomUUID() : ""),
    }));
  }

  function addressOf(path, parameters) {
    let filled = path;
    const query = new URLSearchParams();
    for (const { name, place, input } of parameters) {
      if (place === "path") filled = filled.replace(`{${name}}`, encodeURIComponent(input.value));
      if (place === "query" && input.value !== "") query.set(name, input.value);
    }
    return filled + (query.size ? `?${query}` : "");
  }

  function headersOf(section, parameters, token, body) {
    const headers = {};
    if (token.value) headers.Authorization = `Bearer ${token.value.trim()}`;
    if (body) headers["Content-Type"] = section.querySelector(".body").dataset.type;
    for (const { name, place, input } of parameters) {
      if (place === "header" && input.value !== "") headers[name] = input.value;
    }
    return headers;
  }

  async function send(section, fields, answer) {
    const { parameters, token, body } = fields;
    try {
      const reply = await fetch(addressOf(section.dataset.path, parameters), {
        method: section.dataset.method, body: body?.value, cache: "no-store",
        headers: headersOf(section, parameters, token, body),
      });
      const headers = [...reply.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
      const text = await reply.text();
      answer.textContent = `${reply.status} ${reply.statusText}\n${headers}\n\n${pretty(text)}`;
    } catch (trouble) {
      answer.textContent = `No answer: ${trouble.message}`;
    }
  }

  function pretty(text) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  }

  function fill(details, section) {
    const form = details.appendChild(document.createElement("form"));
    const sample = section.querySelector(".body");
    const fields = { token: field(form, "Access token", ""), parameters: parametersOf(form, section) };
    fields.token.type = "password";
    if (sample) fields.body = field(form, "Body", sample.textContent, "textarea");
    const button = form.appendChild(document.createElement("button"));
    button.textContent = "Send the request";
    const answer = details.appendChild(document.createElement("pre"));
    answer.setAttribute("role", "status");
    answer.tabIndex = 0;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(section, fields, answer);
    });
  }

  for (const section of document.querySelectorAll("section.operation[data-path]")) {
    const details = document.createElement("details");
    details.className = "try";
    details.appendChild(document.createElement("summary")).textContent = "Try it";
    details.addEventListener("toggle", () => details.querySelector("form") ?? fill(details, section));
    [...section.querySelectorAll("h3")].find((one) => one.textContent === "Responses").before(details);
  }
}
