// The ladder. Rows have fixed heights, so only those in sight are drawn, as one SVG.

const ladder = { rows: [], tops: [], lanesX: [], width: 0, narrow: false, gutter: 0, states: [],
                 calls: [], rowOfStep: new Map(), first: -1, last: -1, whole: false };

const LONG_PAUSE = 100e6; // ns; a pause from here on is told
const PRINT_ROWS = 800;
const measure = document.createElement("canvas").getContext("2d");
const FONT_ROW = "12px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";

function fit(text, width) {
  measure.font = FONT_ROW;
  const each = measure.measureText("0").width;
  const most = Math.max(4, Math.floor(width / each));
  // Letters of other scripts may be wider.
  const wider = /[^\u0020-\u024f]/.test(text.slice(0, most)) ? measure.measureText(text.slice(0, most)).width / each / Math.min(most, text.length) : 1;
  return cutText(text, Math.max(4, Math.floor(most / Math.max(1, wider))));
}

// The first bytes of a payload, as text.
function snippet(packet) {
  const bytes = bytesOf(packet).subarray(packet.at, packet.at + Math.min(packet.len, 96));
  const text = new TextDecoder().decode(bytes).replaceAll("\n", "⏎").replaceAll("\r", "");
  return "“" + visible(text) + (packet.len > 96 ? "…" : "") + "”";
}

const GROUPS = { "LISTEN": "idle", "CLOSED": "idle", "SYN-SENT": "opening", "SYN-RECEIVED": "opening",
                 "ESTABLISHED": "open", "TIME-WAIT": "wait" };
const stateGroup = (name) => GROUPS[name] || (name === "?" ? "idle" : "closing");

function rowHeight(row) {
  if (row.kind === "pause" || row.kind === "flow") return 24;
  if (row.step.kind !== "packet") return row.listens && ladder.narrow ? 38 : 23;
  const packet = row.step.packet;
  return 30 + row.drop + (packet.len > 0 ? 15 : 0) + (packet.options ? 15 : 0) +
    (packet.marks || packet.resent ? 15 : 0) + (ladder.narrow && row.changes.length ? 15 : 0);
}

// How far an arrow falls: by the time to the next event, on a scale of powers of ten.
const dropOf = (ns) => Math.max(4, Math.min(20, 4 + 3 * Math.log10(Math.max(1, ns / 1000))));

function ladderRows(steps) {
  const rows = [];
  const said = new Set();
  const many = trace.flows.size > 1 || trace.roles.size === 0;
  steps.forEach((step, i) => {
    const before = i ? steps[i - 1] : null;
    if (before && step.t - before.t >= LONG_PAUSE)
      rows.push({ kind: "pause", text: `${duration(step.t - before.t)} later` });
    const flow = step.packet && step.packet.flow;
    if (flow && many && !said.has(flow.id)) {
      said.add(flow.id);
      rows.push({ kind: "flow", flow, text: `flow ${flow.id} · ${flow.ends[0]} → ${flow.ends[1]}` });
    }
    const row = { kind: "step", step, changes: [], drop: 0 };
    if (step.kind === "packet") {
      row.drop = dropOf((steps[i + 1] || step).t - step.t);
      if (step.packet.states && flow) {
        for (const end of [0, 1]) {
          if (step.packet.states[end] !== step.packet.states[end + 2])
            row.changes.push({ end, name: stateName(step.packet.states[end + 2]), flow });
        }
      }
    }
    rows.push(row);
  });
  return rows;
}

// What the lanes look like between the rows: states from row to row, calls from row to row.
function ladderLanes() {
  ladder.states = trace.lanes.map(() => []);
  ladder.calls = trace.lanes.map(() => []);
  ladder.rows.forEach((row, index) => {
    if (row.kind === "flow") {
      for (const end of [0, 1]) {
        const first = row.flow.packets[0];
        if (first.states) ladder.states[row.flow.lanes[end]].push({ row: index, name: stateName(first.states[end]) });
      }
    }
    if (row.kind !== "step") return;
    const step = row.step;
    for (const change of row.changes)
      ladder.states[change.flow.lanes[change.end]].push({ row: index, name: change.name });
    if (step.kind === "call") {
      const lane = laneOfRole(step.role);
      if (lane >= 0 && step.call.kernel && step.call.kernel.state === "LISTEN" && step.call.name === "listen") {
        ladder.states[lane].push({ row: index, name: "LISTEN" });
        row.listens = true;
      }
      const back = step.call.back ? ladder.rowOfStep.get(step.call.back.index) : undefined;
      const to = back !== undefined ? back : step.call.end === null ? ladder.rows.length - 1 : index;
      if (lane >= 0) ladder.calls[lane].push({ from: index, to, call: step.call });
    }
  });
}

function layLadder(steps) {
  ladder.rows = ladderRows(steps);
  ladder.rowOfStep = new Map();
  ladder.rows.forEach((row, i) => { if (row.kind === "step") ladder.rowOfStep.set(row.step.index, i); });
  ladderLanes();
  measureLadder();
}

function measureLadder() {
  const box = byId("ladder");
  ladder.width = Math.max(280, box.clientWidth);
  ladder.narrow = ladder.width < 520;
  const lefts = trace.lanes.filter((lane) => !lane.right).length;
  const rights = trace.lanes.length - lefts;
  ladder.gutter = ladder.narrow ? 16 : Math.max(lefts, rights) > 1 ? 122 : 108;
  const inner = ladder.width - 2 * ladder.gutter;
  const pitch = Math.min(ladder.narrow ? 26 : 56, inner / 3 / Math.max(1, Math.max(lefts, rights) - 1));
  ladder.lanesX = trace.lanes.map((lane, i) => (lane.right
    ? ladder.width - ladder.gutter - (trace.lanes.length - 1 - i) * pitch
    : ladder.gutter + i * pitch));
  ladder.tops = new Float64Array(ladder.rows.length + 1);
  ladder.tops[0] = 6;
  ladder.rows.forEach((row, i) => { ladder.tops[i + 1] = ladder.tops[i] + rowHeight(row); });
  byId("ladder-space").style.height = ladder.tops[ladder.rows.length] + 10 + "px";
  drawLaneNames();
  ladder.first = ladder.last = -1;
  drawLadder();
}

function drawLaneNames() {
  const box = clear(byId("lanes"));
  const many = trace.lanes.length > 2;
  box.append(svg("svg", { width: ladder.width, height: many ? 40 : 22, viewBox: `0 0 ${ladder.width} ${many ? 40 : 22}` }, trace.lanes.map((lane, i) =>
    svg("text", { class: "lane-name who" + lane.who, x: ladder.lanesX[i], y: 16 + (many && i % 2 ? 16 : 0),
                  "text-anchor": ladder.narrow ? (lane.right ? "end" : "start") : "middle",
                  text: cutText(visible(lane.name), 18) }))));
}

function bandParts(first, last) {
  const parts = [];
  const top = ladder.tops[first];
  const bottom = ladder.tops[last];
  trace.lanes.forEach((lane, i) => {
    const x = ladder.lanesX[i];
    parts.push(svg("line", { class: "lane", x1: x, x2: x, y1: 0, y2: bottom - top }));
    for (const { from, to } of ladder.calls[i]) {
      if (to < first || from >= last || (lane.shared && !lane.right)) continue;
      const y1 = ladder.tops[from] - top + 3;
      const y2 = ladder.tops[to + 1] - top - 3;
      parts.push(svg("rect", { class: "in-call who" + lane.who, x: x - 7, width: 14, y: y1, height: Math.max(4, y2 - y1), rx: 6 }));
    }
    const states = ladder.states[i];
    let at = Math.max(0, firstWhere(states.length, (n) => states[n].row >= first) - 1);
    for (; at < states.length && states[at].row < last; at++) {
      const from = ladder.tops[states[at].row] - top + 18;
      const next = at + 1 < states.length ? ladder.tops[states[at + 1].row] - top + 18 : bottom - top;
      if (next > 0)
        parts.push(svg("rect", { class: "band " + stateGroup(states[at].name), x: x - 2.5, width: 5, y: Math.max(0, from), height: Math.max(0, next - Math.max(0, from)) }));
    }
  });
  return parts;
}

function stateLabel(row, name, lane, y, end) {
  const right = trace.lanes[lane].right;
  const outside = right ? ladder.lanesX.at(-1) + 12 : ladder.lanesX[0] - 12;
  const x = ladder.narrow ? ladder.lanesX[lane] + (right ? -12 : 12) : outside;
  const anchor = (right !== ladder.narrow) ? "start" : "end";
  // Where several lanes share a side, a letter says which.
  const several = trace.lanes.filter((other) => other.right === right).length > 1;
  const label = several ? `${trace.lanes[lane].name.slice(0, 1).toUpperCase()} ${name}` : name;
  return svg("text", { class: "state " + stateGroup(name), x, y, "text-anchor": anchor, "data-end": end, text: label });
}

function arrowParts(row, top) {
  const packet = row.step.packet;
  const [from, to] = packet.lanes;
  let x1 = ladder.lanesX[from];
  let x2 = ladder.lanesX[to];
  const leftToRight = x2 > x1;
  x1 += leftToRight ? 4 : -4;
  x2 += leftToRight ? -5 : 5;
  const y1 = top + 20;
  const y2 = y1 + row.drop;
  const alarm = packet.marks & ~(MARK["window update"] | MARK["port reused"]);
  const kind = packet.resent ? " lost" : alarm ? " marked" : "";
  const angle = Math.atan2(y2 - y1, x2 - x1) * 180 / Math.PI;
  const middle = (x1 + x2) / 2;
  const room = Math.abs(x2 - x1) - 30;
  const ux = Math.cos(angle * Math.PI / 180);
  const uy = Math.sin(angle * Math.PI / 180);
  const head = `${x2},${y2} ${x2 - 9 * ux - 4 * uy},${y2 - 9 * uy + 4 * ux} ${x2 - 9 * ux + 4 * uy},${y2 - 9 * uy - 4 * ux}`;
  const end = packet.resent ? 0.72 : 1;
  const parts = [svg("line", { class: "arrow who" + trace.lanes[from].who + kind, x1, y1,
                               x2: x1 + (x2 - 6 * ux - x1) * end, y2: y1 + (y2 - y1) * end })];
  if (packet.resent) {
    const cx = x1 + (x2 - x1) * end;
    const cy = y1 + (y2 - y1) * end;
    parts.push(svg("path", { class: "cross", d: `M${cx - 5} ${cy - 5}l10 10m0 -10l-10 10` }));
  } else {
    parts.push(svg("polygon", { class: "head who" + trace.lanes[from].who + kind, points: head }));
  }
  const flat = leftToRight ? angle : angle - 180;
  const number = `${packet.n} `;
  const text = fit((packet.cause || trace.calls.size === 0 ? "" : "kernel · ") + packetText(packet), room - number.length * 7);
  parts.push(svg("text", { class: "label", x: middle, y: (y1 + y2) / 2 - 5, "text-anchor": "middle",
                           transform: `rotate(${flat.toFixed(2)} ${middle} ${((y1 + y2) / 2).toFixed(1)})` },
                 svg("tspan", { class: "number", text: number }), svg("tspan", { class: "flags", text: text.split("  ")[0] }),
                 text.includes("  ") ? "  " + text.split("  ").slice(1).join("  ") : ""));
  let y = y2 + 13;
  const under = (cls, what) => {
    parts.push(svg("text", { class: cls, x: middle, y, "text-anchor": "middle", text: fit(what, room + 22) }));
    y += 15;
  };
  if (packet.options) under("under", packet.options);
  if (packet.len > 0) under("under payload", snippet(packet));
  const marks = markNames(packet.marks);
  if (packet.resent) marks.push(`sent again: ${packet.resent.n}`);
  if (marks.length) under("mark", marks.join(" · "));
  for (const change of row.changes) {
    const lane = change.flow.lanes[change.end];
    const sends = (change.end === packet.from);
    parts.push(stateLabel(row, change.name, lane, ladder.narrow ? y : (sends ? y1 : y2) + 4, change.end));
  }
  return parts;
}

// From the last lane on the left to the first one on the right.
function innerRoom() {
  const lefts = ladder.lanesX.filter((x, i) => !trace.lanes[i].right);
  const rights = ladder.lanesX.filter((x, i) => trace.lanes[i].right);
  return [lefts.length ? Math.max(...lefts) : ladder.gutter, rights.length ? Math.min(...rights) : ladder.width - ladder.gutter];
}

function callParts(row, top) {
  const step = row.step;
  const lane = laneOfRole(step.role);
  const right = lane >= 0 && trace.lanes[lane].right;
  // Between the two sides, so that no other lane is written over.
  const [left, end] = innerRoom();
  const x = lane < 0 ? ladder.width / 2 : right ? end - 14 : left + 14;
  const room = end - left - 60;
  const line = (step.kind === "note" ? step.note.line : step.call.line) || 0;
  let text;
  if (step.kind === "note") {
    text = step.note.kind === "print" ? `prints “${step.note.text}”` : `${step.note.kind}: ${step.note.text}`;
  } else {
    const result = returnText(step.call);
    if (step.kind === "return") text = step.call.name + (result ? " → " + result : " returns");
    else text = callText(step.call) + (step.whole && result ? " → " + result : "");
  }
  text = text.split("\n")[0];
  if (lane >= 0 && trace.lanes[lane].shared && !right) text = `${roleName(step.role)}: ${text}`;
  const name = step.kind === "note" ? 0 : step.call.name.length;
  const shown = fit(text, room);
  const body = [svg("tspan", { class: step.kind === "call" ? "name" : "", text: shown.slice(0, name) }), shown.slice(name)];
  const at = line ? [svg("tspan", { class: "line-number", text: String(line) })] : [];
  const parts = [svg("text", { class: "call " + step.kind + (step.kind !== "note" && step.call.error && (step.whole || step.kind === "return") ? " failed" : "") +
                               (step.kind === "note" && step.note.kind === "error" ? " failed" : ""),
                               x, y: top + 15, "text-anchor": right ? "end" : lane < 0 ? "middle" : "start" },
                     right ? [...body, at.length ? "  " : "", ...at] : [...at, at.length ? "  " : "", ...body])];
  if (row.listens) parts.push(stateLabel(row, "LISTEN", lane, top + (ladder.narrow ? 30 : 15), 1));
  return parts;
}

function rowNode(index, offset) {
  const row = ladder.rows[index];
  const top = ladder.tops[index] - offset;
  const height = ladder.tops[index + 1] - ladder.tops[index];
  if (row.kind !== "step")
    return svg("g", { class: row.kind, "aria-hidden": "true" },
               svg("text", { x: ladder.width / 2, y: top + 16, "text-anchor": "middle", text: fit(row.text, ladder.width - 20) }));
  const chosen = row.step === selection.step;
  return svg("g", { class: "row" + (chosen ? " chosen" : "") + (isRelated(row.step) ? " related" : ""), role: "option", id: `row-${index}`,
                    "aria-selected": String(chosen), "aria-posinset": view.place.get(row.step.index) + 1,
                    "aria-setsize": view.steps.length, "aria-label": spoken(row.step), "data-row": index },
             svg("rect", { class: "ground", x: 0, y: top, width: ladder.width, height }),
             row.step.kind === "packet" ? arrowParts(row, top) : callParts(row, top));
}

// Rows in sight, and some around them.
function drawLadder() {
  const box = byId("ladder");
  const space = byId("ladder-space");
  const count = ladder.rows.length;
  let first = 0;
  let last = Math.min(count, PRINT_ROWS);
  if (!ladder.whole) {
    first = Math.max(0, firstWhere(count, (i) => ladder.tops[i + 1] > box.scrollTop) - 12);
    last = Math.min(count, firstWhere(count, (i) => ladder.tops[i] > box.scrollTop + box.clientHeight) + 12);
  }
  ladder.first = first;
  ladder.last = last;
  const height = ladder.tops[last] - ladder.tops[first];
  const drawing = svg("svg", { width: ladder.width, height, viewBox: `0 0 ${ladder.width} ${height}`, class: "rows", role: "presentation" }, bandParts(first, last));
  // Grounds of rows lie behind the lanes.
  const behind = svg("g", { role: "presentation" });
  for (let i = first; i < last; i++) {
    const node = rowNode(i, ladder.tops[first]);
    behind.append(node);
  }
  drawing.prepend(behind.cloneNode(false));
  for (const ground of [...behind.querySelectorAll(".chosen > .ground, .related > .ground")])
    drawing.firstChild.append(dress(ground.cloneNode(false), { class: "glow " + (ground.parentNode.classList.contains("chosen") ? "is-chosen" : "is-related") }, []));
  drawing.append(behind);
  drawing.style.top = ladder.tops[first] + "px";
  clear(space).append(drawing);
  if (ladder.whole && last < count) space.append(el("p", { class: "hint", text: `The first ${last} of ${count} rows; choose a flow to print it.` }));
  const at = selection.step ? ladder.rowOfStep.get(selection.step.index) : undefined;
  if (at !== undefined && at >= first && at < last) box.setAttribute("aria-activedescendant", `row-${at}`);
  else box.removeAttribute("aria-activedescendant");
}

function showInLadder() {
  const at = selection.step ? ladder.rowOfStep.get(selection.step.index) : undefined;
  if (at !== undefined)
    reveal(byId("ladder"), ladder.tops[at], ladder.tops[at + 1] - ladder.tops[at]);
  drawLadder();
}

function startLadder() {
  const box = byId("ladder");
  let waiting = false;
  box.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const visibleFrom = firstWhere(ladder.rows.length, (i) => ladder.tops[i + 1] > box.scrollTop);
      const visibleTo = firstWhere(ladder.rows.length, (i) => ladder.tops[i] > box.scrollTop + box.clientHeight);
      if (visibleFrom < ladder.first || visibleTo > ladder.last ||
          (ladder.first > 0 && visibleFrom - ladder.first < 4) || (ladder.last < ladder.rows.length && ladder.last - visibleTo < 4))
        drawLadder();
    });
  }, { passive: true });
  box.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row) return;
    const step = ladder.rows[Number(row.dataset.row)].step;
    const state = event.target.closest("[data-end]");
    if (state && step.packet) select(step, { state: Number(state.dataset.end) });
    else select(step);
    box.focus({ preventScroll: true });
  });
  new ResizeObserver(() => { if (Math.max(280, box.clientWidth) !== ladder.width && !ladder.whole) measureLadder(); }).observe(box);
  addEventListener("beforeprint", () => { ladder.whole = true; drawLadder(); });
  addEventListener("afterprint", () => { ladder.whole = false; drawLadder(); });
}
