// The page of a printed code: shows what `printed.js` found, and asks for today's status when told to.
//
// All words stand in the page or in the list; what a code says goes in as text, never as markup.
import { verify } from "./printed.js";

const place = document.querySelector("[data-printed]");
const language = place.dataset.language;
const part = (name) => place.querySelector(`[data-${name}]`);
const china = { timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit" };
let shown = 0;

addEventListener("hashchange", check);
part("button").addEventListener("click", ask);
part("print").addEventListener("click", () => window.print());
await check();

async function check() {
  const turn = shown += 1;
  for (const name of ["reasons", "licence", "asking", "about", "print", "wrong"]) part(name).hidden = true;
  if (location.hash.length < 2) return show("none");
  show("checking");
  const list = await fetchList();
  if (turn !== shown) return undefined;
  if (list === null) return show("unreachable");
  const now = Math.floor(Date.now() / 1000);
  const found = await verify(location.origin + location.pathname + location.hash, list, now);
  if (turn !== shown) return undefined;
  part("made").textContent = shownTime(list.made_at);
  for (const name of ["about", "print"]) part(name).hidden = false;
  if (found.code) showLicence(found, list);
  // The one reason that always stands there is said by the verdict itself, and by the button below.
  showReasons(found.reasons.filter((reason) => reason !== "status_not_asked"), list);
  return show(stateOf(found), true);
}

function stateOf({ indication, then, reasons }) {
  if (indication === "failed") return "failed";
  return then === "passed" && reasons.length === 1 ? "genuine" : "unsure";
}

async function fetchList() {
  try {
    const answer = await fetch(place.dataset.list, { credentials: "omit", referrerPolicy: "no-referrer" });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

function show(name, focus = false) {
  for (const state of place.querySelectorAll("[data-state]")) {
    state.hidden = state.dataset.state !== name;
    if (!state.hidden && focus) state.querySelector("h1").focus();
  }
}

function showReasons(reasons, list) {
  const rows = reasons.map((code) => {
    const reason = list.reasons[code];
    const row = document.createElement("li");
    row.append(paragraph(reason.text[language], "reason"), paragraph(reason.next_step[language]), paragraph(code, "small soft code"));
    return row;
  });
  part("reasons").querySelector("ul").replaceChildren(...rows);
  part("reasons").hidden = rows.length === 0;
}

function showLicence({ code, issuer, indication }, list) {
  const type = list.types[code.type];
  const facts = part("facts"), words = facts.dataset;
  part("type").textContent = type ? type.name[language] : code.type;
  const rows = [...ordered(code.fields, type)].map(([name, value]) => {
    const field = type?.fields[name];
    return row(field ? field.label[language] : name, shownValue(value, field, words.excerpt));
  });
  rows.push(row(words.agency, `${issuer.organisation}（${code.agency}）`));
  rows.push(row(words.issued, shownTime(code.issuedAt)));
  if (code.notBefore !== undefined) rows.push(row(words.from, shownTime(code.notBefore)));
  // What ends at the first moment of a day holds through the day before.
  rows.push(row(words.until, code.expiresAt === undefined ? words.unlimited : shownDay(code.expiresAt - 1)));
  rows.push(row(words.version, String(code.version).padStart(3, "0")));
  rows.push(row(words.identifier, code.identifier, "code"));
  facts.replaceChildren(...rows);
  part("licence").hidden = false;
  part("asking").hidden = indication === "failed";
  part("button").dataset.identifier = code.identifier;
}

/** The fields as the type has them, then those that it does not know. */
function ordered(fields, type) {
  const known = Object.keys(type?.fields ?? {}).filter((name) => fields.has(name));
  const others = [...fields.keys()].filter((name) => !known.includes(name));
  return [...known, ...others].map((name) => [name, fields.get(name)]);
}

function shownValue(value, field, excerpt) {
  if (value instanceof Map) return excerpt.replace("{start}", () => value.get(1));
  if (Array.isArray(value)) return value.join(language === "zh" ? "；" : "; ");
  const choices = field?.choices ?? {};
  if (Object.hasOwn(choices, value)) return choices[value][language];
  if (field?.kind === "date" && /^\d{4}-\d{2}-\d{2}$/.test(value)) {
    const [year, month, day] = value.split("-").map(Number);
    return language === "zh" ? `${year}年${month}月${day}日` : value;
  }
  return field?.unit ? `${value} ${field.unit[language]}` : value;
}

async function ask() {
  const button = part("button"), wrong = part("wrong"), turn = shown;
  button.disabled = true;
  wrong.hidden = true;
  const [answer, problem] = await askServer(button.dataset.identifier);
  button.disabled = false;
  if (turn !== shown) return;
  if (answer === null) {
    wrong.textContent = wrong.dataset[problem];
    wrong.hidden = false;
    return;
  }
  for (const standing of place.querySelectorAll("[data-standing]")) standing.textContent = answer.status.text[language];
  part("asking").hidden = true;
  const states = { passed: "holds", failed: "ended", indeterminate: "unknown" };
  const doubtful = !part("reasons").hidden;
  show(answer.indication === "passed" && doubtful ? "unknown" : states[answer.indication], true);
}

async function askServer(licence) {
  try {
    const answer = await fetch(place.dataset.ask, {
      method: "POST", credentials: "omit", referrerPolicy: "no-referrer",
      headers: { "Content-Type": "application/json" }, body: JSON.stringify({ licence }),
    });
    if (answer.status === 429) return [null, "busy"];
    const said = answer.ok ? await answer.json() : null;
    return said?.status?.text && said.indication ? [said, ""] : [null, "failed"];
  } catch {
    return [null, "failed"];
  }
}

function shownDay(seconds) {
  return new Intl.DateTimeFormat("sv-SE", china).format(new Date(seconds * 1000));
}

function shownTime(seconds) {
  const clock = { hour: "2-digit", minute: "2-digit", hour12: false };
  return `${new Intl.DateTimeFormat("sv-SE", { ...china, ...clock }).format(new Date(seconds * 1000))} UTC+8`;
}

function paragraph(text, classes = "") {
  const made = document.createElement("p");
  made.textContent = text;
  made.className = classes;
  return made;
}

function row(label, value, classes = "") {
  const [pair, term, description, isolated] = ["div", "dt", "dd", "bdi"].map((name) => document.createElement(name));
  term.textContent = label;
  isolated.textContent = value;
  description.className = classes;
  description.append(isolated);
  pair.append(term, description);
  return pair;
}
