// The flows: a table where there are several, and of the one that is shown, what became of it.

const FLOWS_SHOWN = 500;

function sayFlow(flow) {
  const summary = flow.summary;
  const facts = [];
  if (!summary) return facts;
  const who = (end) => endName(flow, end);
  if (summary.protocol !== "TCP") {
    facts.push(["Data", say`${byteSize(summary.bytes)} in ${plural(summary.packets, "datagram")}`]);
    return facts;
  }
  const opening = flow.packets.find((packet) => packet.has.SYN && packet.from === 0);
  facts.push(["Handshake", [...say`${summary.handshake}`, ...(summary.rtt_ms ? [`, ${duration(summary.rtt_ms * 1e6)}`] : []),
                            ...(opening && opening.cause ? say`; the [[SYN]] came from ${linkToCall(opening.cause)}` : [])]]);
  const numbers = [0, 1].filter((end) => flow.isn[end] !== null && flow.isn[end] !== undefined);
  if (numbers.length)
    facts.push([{ term: "initial sequence number", label: "Initial sequence numbers" }, numbers.flatMap((end, i) => [i ? ", " : "", `${who(end)} ${flow.isn[end]}`])]);
  facts.push(["Data", [`${who(0)} ${byteSize(summary.from_client.unique_bytes)}, ${who(1)} ${byteSize(summary.from_server.unique_bytes)}`]]);
  if (summary.retransmissions) facts.push([{ term: "retransmission", label: "Retransmissions" }, [String(summary.retransmissions)]]);
  facts.push(["Close", sayClose(flow, summary)]);
  return facts;
}

function sayClose(flow, summary) {
  const first = flow.packets.find((packet) => packet.has.FIN || packet.has.RST);
  if (summary.close === "open") return [summary.from_middle ? "seen from the middle, not closed" : "not closed while it was watched"];
  if (!first) return [summary.close];
  const who = endName(flow, first.from);
  const by = first.cause ? [" by ", linkToCall(first.cause)] : [];
  if (first.has.RST) return [...say`${who} reset it ([[RST]])`, ...by];
  const states = flow.packets.at(-1).states || [0, 0, 0, 0];
  const waits = [0, 1].filter((end) => stateName(states[end + 2]) === "TIME-WAIT");
  return [...say`${who} closed first`, ...by, " (", linkToPacket(first), ")",
          ...(waits.length ? say`; so [[TIME-WAIT]] is at the ${waits.map((end) => endName(flow, end)).join(" and the ")}’s end` : [`; it is ${summary.close}`])];
}

function drawFlowFacts() {
  const box = byId("flow-facts");
  if (!box) return;
  const flow = trace.flows.get(view.flow) || (trace.flows.size === 1 ? firstFlow() : null);
  clear(box);
  if (!flow) return;
  for (const [name, parts] of sayFlow(flow))
    box.append(el("div", {}, sayInto(el("dt"), [name]), sayInto(el("dd"), parts)));
}

function flowRow(flow) {
  const summary = flow.summary;
  const cells = summary
    ? [summary.protocol, flow.ends[0], flow.ends[1], summary.packets.toLocaleString("en"), byteSize(summary.bytes), summary.retransmissions || "",
       summary.protocol === "TCP" ? summary.close : ""]
    : [flow.protocol, flow.ends[0], flow.ends[1], flow.packets.length, "", "", ""];
  return el("tr", { "data-flow": flow.id },
            el("th", { scope: "row" }, el("button", { type: "button", class: "link", text: `flow ${flow.id}`, "aria-pressed": "false", click: () => showFlow(flow.id) })),
            cells.map((text) => el("td", { text: String(text ?? "") })));
}

function buildFlows() {
  const box = byId("flows-body");
  const flows = [...trace.flows.values()];
  if (flows.length === 0) { byId("flows").hidden = true; return; }
  if (flows.length === 1) byId("flows-title").textContent = "The flow";
  else {
    const rows = [...flows].sort((a, b) => b.packets.length - a.packets.length || a.id - b.id).slice(0, FLOWS_SHOWN).sort((a, b) => a.id - b.id);
    const table = el("table", {}, el("thead", {}, el("tr", {}, ["Flow", "", "Client", "Server", "Packets", "Bytes", "Sent again", "Close"].map((text) =>
      el("th", { scope: "col", text })))), el("tbody", {}, rows.map(flowRow)));
    box.append(el("div", { class: "scroll flow-list", tabindex: "0", role: "region", "aria-label": "List of flows" }, table));
    if (flows.length > rows.length) box.append(el("p", { class: "hint", text: `The ${rows.length} flows with the most packets, of ${flows.length.toLocaleString("en")}.` }));
    if (!view.large) box.append(el("p", {}, el("button", { type: "button", id: "all-flows", class: "link", text: "all flows together", click: () => showFlow(0) })));
  }
  box.append(el("dl", { id: "flow-facts" }));
}

// Shows one flow alone; 0: all.
function showFlow(id) {
  chooseSteps(id);
  layLadder(view.steps);
  drawFlowFacts();
  for (const row of document.querySelectorAll("#flows [data-flow]")) {
    row.classList.toggle("chosen", Number(row.dataset.flow) === id);
    row.querySelector("button").setAttribute("aria-pressed", String(Number(row.dataset.flow) === id));
  }
  const stays = selection.step && view.place.has(selection.step.index);
  select(stays ? selection.step : view.steps.find((step) => step.kind === "packet") || view.steps[0] || null);
}
