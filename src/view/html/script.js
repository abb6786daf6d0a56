// The script: its lines, the one that is running, and where the others stand.

const source = { nodes: new Map(), body: null };

const LUA = /(--\[\[[\s\S]*?(?:\]\]|$)|--[^\n]*)|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\b(and|break|do|else|elseif|end|false|for|function|goto|if|in|local|nil|not|or|repeat|return|then|true|until|while)\b|\b(\d[\w.]*)\b/g;

// The text as pieces of one kind each, no piece longer than its line.
function luaPieces(text) {
  const pieces = [];
  let at = 0;
  const put = (kind, piece) => piece.split("\n").forEach((part, i) => {
    if (i) pieces.push(null);
    if (part) pieces.push([kind, part]);
  });
  for (const match of text.matchAll(LUA)) {
    put("", text.slice(at, match.index));
    put(["comment", "string", "keyword", "figure"][match.slice(1).findIndex((group) => group !== undefined)], match[0]);
    at = match.index + match[0].length;
  }
  put("", text.slice(at));
  return pieces;
}

const lineKey = (script, line) => `${script}:${line}`;

function buildScript() {
  const body = source.body = byId("script-body");
  if (trace.scripts.length === 0) {
    byId("script").hidden = true;
    document.querySelector("main").classList.add("no-script");
    return;
  }
  const used = new Map();
  for (const step of trace.steps) {
    const site = siteOf(step);
    if (site) used.set(lineKey(site.script, site.line), (used.get(lineKey(site.script, site.line)) || 0) + 1);
  }
  const list = el("div", { role: "listbox", tabindex: "0", id: "lines", "aria-label": "Lines of the script" });
  for (const script of trace.scripts) {
    if (trace.scripts.length > 1) list.append(el("div", { class: "file", role: "presentation", text: visible(script.name) }));
    const lines = [[]];
    for (const piece of luaPieces(script.text.replace(/\r/g, "").replace(/\n$/, ""))) {
      if (piece === null) lines.push([]);
      else lines.at(-1).push(piece);
    }
    lines.forEach((pieces, i) => list.append(lineNode(script.name, i + 1, pieces, used)));
  }
  body.append(list);
  list.addEventListener("click", (event) => {
    const node = event.target.closest(".line");
    if (node) chooseLine(node);
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp" && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    const usable = [...list.querySelectorAll(".line.used")];
    const at = usable.findIndex((node) => node.classList.contains("now"));
    if (event.key === "Enter") { if (at >= 0) chooseLine(usable[at]); return; }
    const next = usable[event.key === "ArrowDown" ? at + 1 : (at < 0 ? usable.length : at) - 1];
    if (next) chooseLine(next);
  });
}

function lineNode(script, line, pieces, used) {
  const key = lineKey(script, line);
  const id = `line-${source.nodes.size}`;
  const node = el("div", { class: "line" + (used.has(key) ? " used" : ""), role: "option", id, "data-script": script,
                           "data-line": line, "aria-selected": "false" },
                  el("span", { class: "at", text: String(line) }), el("span", { class: "who", "aria-hidden": "true" }),
                  el("code", {}, pieces.map(([kind, text]) =>
                    (kind ? el("span", { class: kind, text: visible(text, "\t") }) : visible(text, "\t")))));
  source.nodes.set(key, node);
  return node;
}

// The next step of this line after the chosen one, or its first.
function chooseLine(node) {
  const line = Number(node.dataset.line);
  const here = view.steps.filter((step) => {
    const site = siteOf(step);
    return site && site.line === line && site.script === node.dataset.script && step.kind !== "packet";
  });
  const calls = here.filter((step) => step.kind === "call");
  const from = calls.length ? calls : here;
  if (from.length === 0) return;
  const now = selection.step ? selection.step.index : -1;
  select(from.find((step) => step.index > now && sameSite(siteOf(selection.step), siteOf(step))) || from[0]);
}

const sameSite = (a, b) => Boolean(a && b && a.line === b.line && a.script === b.script);

function showInScript() {
  if (!source.body || trace.scripts.length === 0) return;
  for (const node of source.body.querySelectorAll(".now, .stands")) {
    node.classList.remove("now", "stands");
    node.setAttribute("aria-selected", "false");
    clear(node.querySelector(".who"));
    node.querySelector(".who").removeAttribute("title");
  }
  const step = selection.step;
  if (!step) return;
  // Where every role stands: the line of its newest step.
  const stands = new Map();
  for (let i = Math.min(step.index, trace.steps.length - 1), left = 3000; i >= 0 && left > 0 && stands.size < trace.roles.size; i--, left--) {
    const other = trace.steps[i];
    const site = siteOf(other);
    if (site && other.role && !stands.has(other.role)) stands.set(other.role, site);
  }
  for (const [role, site] of stands) {
    const node = source.nodes.get(lineKey(site.script, site.line));
    if (!node) continue;
    node.classList.add("stands");
    const lane = trace.lanes[laneOfRole(role)];
    const badge = node.querySelector(".who");
    if (badge.childElementCount < 3)
      badge.append(el("i", { class: "who" + (lane ? lane.who : 0), text: roleName(role).slice(0, 1).toUpperCase(), title: `${roleName(role)} is here` }));
  }
  const site = siteOf(step);
  const node = site && source.nodes.get(lineKey(site.script, site.line));
  if (!node) return;
  node.classList.add("now");
  node.setAttribute("aria-selected", "true");
  byId("lines").setAttribute("aria-activedescendant", node.id);
  revealNode(source.body, node);
}
