"use strict";
// The search: reads its index once, when the field gets the focus, and ranks in the browser.
{
  const SHOWN = 12;
  // Points for a word in the title or name, or in the text: for the whole word, or for its beginning.
  const EARNS = { head: { whole: 12, start: 7 }, text: { whole: 2, start: 1 } };
  const KINDS = { page: 6, guide: 6, operation: 4, problem: 3, table: 3, response: 1, schema: 0 };
  const form = document.getElementById("search");
  const query = document.getElementById("query");
  const found = document.getElementById("found");
  const count = document.getElementById("count");
  let index = null;

  const readIndex = () => (index ??= fetch("/docs/search.json").then((answer) => answer.json()).then((rows) =>
    rows.map(([title, name, address, kind, head, text]) =>
      ({ title, name, address, kind, head: head.split(" "), text: text.split(" ") }))));

  const earned = (word, words, earns) => words.includes(word) ? earns.whole
    : word.length > 2 && words.some((one) => one.startsWith(word)) ? earns.start : 0;

  function scoreOf(entry, words) {
    const each = words.map((word) => Math.max(
      earned(word, entry.head, EARNS.head), earned(word, entry.text, EARNS.text)));
    const hits = each.filter((one) => one > 0).length;
    if (hits === 0) return 0;
    const exact = [entry.title, entry.name].some((one) => one.toLowerCase() === words.join(" ")) ? 30 : 0;
    // A part that has every word comes before parts that have some of them.
    return each.reduce((sum, one) => sum + one, 0) + (hits === words.length ? 20 : 0) + exact + KINDS[entry.kind];
  }

  const search = (rows, text) => {
    const words = text.toLowerCase().split(/[^a-z0-9_.-]+/).filter(Boolean);
    return rows.map((entry) => ({ entry, score: scoreOf(entry, words) })).filter((one) => one.score > 0)
      .sort((one, other) => other.score - one.score).map((one) => one.entry);
  };

  function resultOf({ title, name, address, kind }) {
    const item = document.createElement("li");
    const link = item.appendChild(document.createElement("a"));
    const more = document.createElement("small");
    link.href = address;
    more.textContent = ` ${kind}${name && name !== title ? ` ${name}` : ""}`;
    link.append(title, more);
    return item;
  }

  async function show() {
    const text = query.value.trim();
    const entries = text ? search(await readIndex(), text) : [];
    if (text !== query.value.trim()) return;
    found.replaceChildren(...entries.slice(0, SHOWN).map(resultOf));
    count.textContent = text ? `${entries.length} found` : "";
  }

  function step(by) {
    const links = [...found.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement) + by;
    (links[at] ?? (at < 0 ? query : links.at(-1)))?.focus();
  }

  form.hidden = false;
  query.addEventListener("focus", readIndex);
  query.addEventListener("input", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    found.querySelector("a")?.click();
  });
  form.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      step(by);
    }
    if (event.key === "Escape") found.replaceChildren();
  });
  document.addEventListener("click", (event) => {
    if (!form.contains(event.target)) found.replaceChildren();
  });
  found.addEventListener("click", () => found.replaceChildren());
}
