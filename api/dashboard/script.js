"use strict";
(() => {
    const POLL_SECONDS = 10;
    const WORDS = {
        notification: "Notification", information_gathering: "Information gathering",
        recommendation: "Recommendation", decision: "Decision", set_up: "Setting up", review: "Review",
        reporting: "Reporting", ratification: "Ratification", implementation: "Implementation",
        evaluation: "Evaluation", on_time: "On time", late: "Late", no_due_day: "No due day",
        proceed: "Review", do_not_proceed: "No review", alternative_review: "Another way",
        more_information: "More information", gross: "All days", net: "Without holds"
    };
    const main = document.getElementById("figures");
    const state = document.getElementById("state");
    const place = document.getElementById("place");
    let token = null;
    let names = new Map();
    let exact = false;
    let kept = new Map(); // answers by address, with their tags
    let round = 0;        // a newer request makes older answers void
    let timer = 0;

    /* Charts are drawn in the width that they get, so that their text stays as large as all other. */
    const chartWidth = () => window.innerWidth < 600 ? Math.max(260, window.innerWidth - 66) : 520;

    const word = (code) => WORDS[code] || (code || "").replace(/_/g, " ");

    function make(name, attributes, ...children) {
        const element = document.createElement(name);
        Object.entries(attributes || {}).forEach(([key, value]) => element.setAttribute(key, value));
        element.append(...children);
        return element;
    }

    function draw(name, attributes, text) {
        const element = document.createElementNS("http://www.w3.org/2000/svg", name);
        Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
        if (text !== undefined) {
            element.textContent = text;
        }
        return element;
    }

    class Refused extends Error {
        constructor(status, problem) {
            super(problem.detail || "The register did not answer.");
            this.status = status;
        }
    }

    /* Reads an address; what has not changed is not sent again. */
    async function read(address) {
        const before = kept.get(address);
        const headers = {Authorization: "Bearer " + token, Accept: "application/json"};
        if (before) {
            headers["If-None-Match"] = before.tag;
        }
        const answer = await fetch(address, {headers, cache: "no-store"});
        if (answer.status === 304) {
            return before;
        }
        const body = await answer.json();
        if (!answer.ok) {
            throw new Refused(answer.status, body);
        }
        const now = {tag: answer.headers.get("ETag"), body};
        kept.set(address, now);
        return now;
    }

    async function organise() {
        const me = (await read("/v1/me")).body;
        const committees = (await read("/v1/reference/committees")).body.items;
        const area = me.organisation.area || me.organisation.committee;
        exact = me.scopes.includes("statistics.unsuppressed")
            && ["inspectorate", "national"].includes(me.organisation.kind);
        names = new Map(committees.map((one) => [one.code, one.name]));
        place.replaceChildren(make("option", {value: ""}, exact ? "All of Scotland" : "All of Scotland (released)"));
        committees.filter((one) => exact || one.code === area)
            .forEach((one) => place.append(make("option", {value: one.code}, one.name)));
        place.value = exact ? "" : area || "";
    }

    const live = () => exact || place.value !== "";

    function address(table, options) {
        const query = new URLSearchParams();
        if (live()) {
            query.set("view", "live");
            if (place.value) {
                query.set("committee", place.value);
            }
            if (options && options.period && !options.snapshot) {
                query.set("period_type", options.period);
            }
        }
        if (options && options.breakdown) {
            query.set("breakdown", options.breakdown);
        }
        const text = query.toString();
        return "/v1/statistics/" + table + (text ? "?" + text : "");
    }

    const plain = (row) => !row ? "–" : row.status === "confidential" ? "c" : row.value === null ? "–"
        : String(row.value);
    const percent = (row) => row && row.value !== null ? Math.round(row.value * 100) + " %" : plain(row);

    function tableOf(caption, head, rows) {
        const top = make("tr", {}, ...head.map((text) => make("th", {scope: "col"}, text)));
        const body = rows.map((cells) => make("tr", {}, make("th", {scope: "row"}, cells[0]),
            ...cells.slice(1).map((cell) => make("td", {}, cell))));
        return make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": caption},
            make("table", {}, make("caption", {}, caption), make("thead", {}, top), make("tbody", {}, ...body)));
    }

    /* Bars, one a row: {name, row, second}. The second bar is a part of the first. */
    function bars(label, rows, key) {
        const most = Math.max(1, ...rows.map((one) => one.row && one.row.value || 0));
        const height = rows.length * 26 + 8;
        const width = chartWidth();
        const left = width < 520 ? 158 : 168;
        const room = width - left - 62;
        const picture = draw("svg", {viewBox: "0 0 " + width + " " + height, role: "img", "aria-label": label});
        rows.forEach((one, number) => {
            const y = number * 26 + 4;
            const value = one.row && one.row.value;
            picture.append(draw("text", {x: left - 8, y: y + 15, "text-anchor": "end"}, one.name));
            picture.append(draw("rect", {class: "bar", x: left, y: y + 2, height: 17,
                width: value ? Math.max(2, room * value / most) : 0}));
            if (one.second && one.second.value) {
                picture.append(draw("rect", {class: "bar2", x: left, y: y + 12, height: 7,
                    width: Math.max(2, room * one.second.value / most)}));
            }
            const text = one.second ? plain(one.row) + " / " + plain(one.second) : plain(one.row);
            picture.append(draw("text", {x: left + 6 + (value ? room * value / most : 0), y: y + 15}, text));
        });
        const figure = make("figure", {}, picture);
        if (key) {
            figure.append(keyOf(key, "rect"));
        }
        return figure;
    }

    function keyOf(words, kind) {
        const list = make("ul", {class: "key"});
        words.forEach((text, number) => {
            const sign = draw("svg", {viewBox: "0 0 32 14", "aria-hidden": "true"});
            sign.append(kind === "rect"
                ? draw("rect", {class: number ? "bar2" : "bar", x: 0, y: number ? 5 : 0, width: 32, height: number ? 7 : 14})
                : draw("path", {class: number ? "trend2" : "trend", d: "M0 7H32"}));
            list.append(make("li", {}, sign, text));
        });
        return list;
    }

    /* Lines over periods; a gap where there is no value. */
    function lines(label, periods, series, key) {
        const most = Math.max(1, ...series.flat().map((row) => row && row.value || 0));
        const width = chartWidth(), height = 200, left = 34, bottom = 172;
        const x = (n) => left + (periods.length > 1 ? n * (width - left - 16) / (periods.length - 1) : 0);
        const y = (value) => bottom - value * (bottom - 14) / most;
        const picture = draw("svg", {viewBox: "0 0 " + width + " " + height, role: "img", "aria-label": label});
        picture.append(draw("path", {class: "axis", fill: "none", d: "M" + left + " 8V" + bottom + "H" + (width - 8)}));
        [0, most].forEach((value) => picture.append(
            draw("text", {class: "quiet", x: left - 6, y: y(value) + 5, "text-anchor": "end"}, value)));
        const every = Math.ceil(periods.length / (width < 520 ? 3 : 5));
        periods.forEach((period, n) => {
            if (n % every === 0) {
                picture.append(draw("text", {class: "quiet", x: x(n), y: height - 8,
                    "text-anchor": n === 0 ? "start" : n === periods.length - 1 ? "end" : "middle"}, period));
            }
        });
        series.forEach((rows, number) => {
            let path = "";
            let broken = true;
            rows.forEach((row, n) => {
                if (!row || row.value === null) {
                    broken = true;
                    return;
                }
                path += (broken ? "M" : "L") + x(n).toFixed(1) + " " + y(row.value).toFixed(1);
                broken = false;
                picture.append(number === 0 ? draw("circle", {class: "bar", cx: x(n), cy: y(row.value), r: 3.5})
                    : draw("rect", {class: "bar2", x: x(n) - 3.5, y: y(row.value) - 3.5, width: 7, height: 7}));
            });
            picture.append(draw("path", {class: number ? "trend2" : "trend", d: path || "M0 0"}));
        });
        return make("figure", {}, picture, keyOf(key, "line"));
    }

    function section(id, title, definition, ...children) {
        return make("section", {"aria-labelledby": id}, make("h2", {id}, title),
            make("p", {class: "note"}, definition.replace(/`/g, "").replace(/_/g, " ")), ...children);
    }

    const find = (rows, wanted) => rows.find((row) => Object.entries(wanted).every(([key, value]) => row[key] === value));

    function last(rows) {
        const newest = rows.reduce((latest, row) => row.period_from > latest ? row.period_from : latest, "");
        return rows.filter((row) => row.period_from === newest);
    }

    function caseload(answer) {
        const rows = last(answer.rows);
        const stages = [...new Set(rows.map((row) => row.category).filter(Boolean))];
        const drawn = stages.map((stage) => ({name: word(stage), row: find(rows, {category: stage, figure: "count"}),
            second: live() ? find(rows, {category: stage, figure: "overdue"}) : null}));
        const total = find(rows, {category: null, figure: "count"});
        const head = live() ? ["Stage", "Open", "Overdue", "On hold", "Median age, days"] : ["Stage", "Open"];
        const cells = (category) => head.slice(1).map((_, n) => plain(find(rows, {category,
            figure: ["count", "overdue", "on_hold", "median_age_days"][n]})));
        return section("caseload", "Caseload by stage", answer.definition,
            bars("Bar chart: open cases by stage, " + plain(total) + " in all; the table below has the figures", drawn,
                live() ? ["open", "of these overdue"] : null),
            tableOf("Open cases by stage" + when(rows), head,
                [...stages.map((stage) => [word(stage), ...cells(stage)]), ["All stages", ...cells(null)]]));
    }

    const when = (rows) => rows.length ? ", " + rows[0].period : "";

    function timeliness(parts) {
        const rows = parts.map(([title, answer, good]) => {
            const newest = last(answer.rows);
            return [title, plain(find(newest, {category: good, figure: "count", group: null})),
                plain(find(newest, {category: null, figure: "count", group: null})),
                percent(find(newest, {category: null, figure: "share", group: null}))];
        });
        const drawn = parts.map(([title, answer]) => {
            const row = find(last(answer.rows), {category: null, figure: "share", group: null});
            return {name: title, row: row && {...row, value: row.value === null ? null : Math.round(row.value * 100)}};
        });
        return section("timeliness", "Timeliness against timescales",
            "Share of what was due in the newest period and done in time, in per cent.",
            bars("Bar chart: per cent in time; the table below has the figures", drawn),
            tableOf("In time" + when(last(parts[0][1].rows)), ["Timescale", "In time", "All", "Share"], rows));
    }

    function days(decision, complete) {
        const rows = decision.rows;
        const periods = [...new Set(rows.map((row) => row.period))];
        const of = (answer, period, wanted) => find(answer.rows, {period, group: null, ...wanted});
        const list = (answer, wanted) => periods.map((period) => of(answer, period, wanted));
        const series = [list(decision, {category: null, figure: "median_days"}),
            list(complete, {category: "gross", figure: "median_days"})];
        return section("days", "Days to decision and to completion", decision.definition,
            lines("Line chart: median days by period; the table below has the figures", periods, series,
                ["median days to the decision", "median days from decision to ratification"]),
            tableOf("Days", ["Period", "To decision, median", "90th percentile", "To completion, median"],
                periods.map((period, n) => [period, plain(series[0][n]),
                    plain(of(decision, period, {category: null, figure: "p90_days"})), plain(series[1][n])])));
    }

    function actions(answer) {
        const rows = last(answer.rows);
        const groups = [...new Set(rows.map((row) => row.group).filter(Boolean))];
        const pick = (group, figure) => find(rows, {group, figure, category: null});
        if (groups.length > 0) {
            const some = groups.filter((group) => (pick(group, "count") || {}).value)
                .sort((a, b) => pick(b, "overdue").value - pick(a, "overdue").value);
            return section("actions", "Actions overdue by committee", answer.definition,
                bars("Bar chart: open actions by committee and how many are overdue; the table below has the figures",
                    some.slice(0, 12).map((group) => ({name: shorten(names.get(group)), row: pick(group, "count"),
                        second: pick(group, "overdue")})), ["open", "of these overdue"]),
                tableOf("Open actions by committee", ["Committee", "Open", "Overdue"], some.map((group) =>
                    [shorten(names.get(group) || group), plain(pick(group, "count")), plain(pick(group, "overdue"))])));
        }
        const overdue = find(rows, {figure: "overdue", category: null});
        const open = find(rows, {category: null, figure: "count"});
        const name = place.value ? names.get(place.value) : "All of Scotland";
        return section("actions", "Actions overdue", answer.definition,
            bars("Bar chart: open actions and how many are overdue; the table below has the figures",
                [{name: place.value ? shorten(name) : name, row: open, second: overdue}], ["open", "of these overdue"]),
            tableOf("Open actions" + when(rows), ["Area", "Open", "Overdue"], [[name, plain(open), plain(overdue)]]));
    }

    const shorten = (name) => (name || "").replace(/ (Child|Public) Protection Committee$/, "");

    function trend(referrals, started) {
        const periods = [...new Set(referrals.rows.map((row) => row.period))];
        const of = (answer, period) => find(answer.rows, {period, category: null, group: null, figure: "count"});
        const series = [referrals, started].map((answer) => periods.map((period) => of(answer, period)));
        return section("trend", live() ? "Trend by quarter" : "Trend by year",
            referrals.definition + " " + started.definition,
            lines("Line chart: referrals received and reviews started by period; the table below has the figures",
                periods, series, ["referrals received", "reviews started"]),
            tableOf("Referrals and reviews", ["Period", "Referrals received", "Reviews started"],
                periods.map((period, n) => [period, plain(series[0][n]), plain(series[1][n])])));
    }

    async function load() {
        const quarter = {period: "quarter"};
        const all = [address("caseload", {snapshot: true}), address("info_return_on_time"),
            address("days_to_decision"), address("notices_on_time"), address("actions_on_time"),
            address("days_to_complete"),
            address("actions_open", {snapshot: true, breakdown: live() && !place.value ? "committee" : ""}),
            address("referrals_received", quarter), address("reviews_started", quarter)];
        return Promise.all(all.map(read));
    }

    let shown = "";

    async function show() {
        const mine = ++round;
        clearTimeout(timer);
        main.setAttribute("aria-busy", "true");
        try {
            const answers = await load();
            if (mine !== round) {
                return;
            }
            const mark = place.value + answers.map((one) => one.tag).join();
            if (mark !== shown) { // what is the same stays: nobody loses the place where they read
                shown = mark;
                const [open, info, decision, notices, due, complete, acts, referrals, started] =
                    answers.map((one) => one.body);
                const focused = document.activeElement && document.activeElement.getAttribute("aria-label");
                main.replaceChildren(caseload(open),
                    timeliness([["Information returned", info, "on_time"], ["Decision", decision, "on_time"],
                        ["Outcome notices", notices, "on_time"], ["Actions", due, "on_time"]]),
                    actions(acts), trend(referrals, started), days(decision, complete));
                const again = focused && [...main.querySelectorAll("[aria-label]")]
                    .find((one) => one.getAttribute("aria-label") === focused && one.tabIndex === 0);
                if (again) {
                    again.focus();
                }
                tell((live() ? "Exact figures" : open.release ? "Figures of the release " + open.release
                    : "Nothing has been released yet") + ", " + (place.value ? names.get(place.value) : "all of Scotland")
                    + ". Read again every " + POLL_SECONDS + " seconds.", false);
            }
            timer = setTimeout(show, POLL_SECONDS * 1000);
        } catch (error) {
            if (mine === round) {
                tell(error.status === 401 ? "The token is not accepted, or has run out." : error.message, true);
                if (error.status !== 401 && error.status !== 403) {
                    timer = setTimeout(show, POLL_SECONDS * 1000);
                }
            }
        } finally {
            main.removeAttribute("aria-busy");
        }
    }

    function tell(text, fault) {
        if (state.textContent !== text) {
            state.textContent = text;
        }
        state.className = fault ? "fault" : "";
    }

    function leave() {
        round++;
        clearTimeout(timer);
        token = null;
        shown = "";
        kept = new Map();
        main.replaceChildren();
        place.replaceChildren(make("option", {value: ""}, "All of Scotland"));
        document.getElementById("leave").hidden = true;
        tell("The token is forgotten.", false);
        document.getElementById("token").focus();
    }

    document.getElementById("entry").addEventListener("submit", async (event) => {
        event.preventDefault();
        const field = document.getElementById("token");
        if (field.value.trim()) {
            token = field.value.trim();
            field.value = "";
            field.required = false;
            kept = new Map();
            shown = "";
            try {
                await organise();
                document.getElementById("leave").hidden = false;
            } catch (error) {
                tell(error.status === 401 ? "The token is not accepted, or has run out." : error.message, true);
                return;
            }
        }
        if (token) {
            await show();
        }
    });
    place.addEventListener("change", () => token && show());
    document.getElementById("leave").addEventListener("click", leave);
})();
