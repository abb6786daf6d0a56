// What is chosen, and telling every pane of it.

// The steps that are shown: of one flow, or all.
const view = { flow: 0, steps: [], place: new Map(), large: false };

// step is what was chosen; the rest belongs to it. range: bytes [from, to) of the packet; field: one
// of its fields; state: whose state, 0 the client's, 1 the server's.
const selection = { step: null, packet: null, call: null, range: null, field: null, state: null };

// Chooses a step, or something of it. Everything shown anywhere follows from here.
function select(step, { range = null, field = null, state = null, keep = false, playing = false } = {}) {
  if (step && !view.place.has(step.index)) { // of a flow that is not shown
    const packet = step.packet || (step.call && step.call.packets[0]);
    if (packet && packet.flow && packet.flow.id !== view.flow) { showFlow(view.large ? packet.flow.id : 0); }
    if (!view.place.has(step.index)) return;
  }
  if (!playing && player.timer) stop();
  if (!keep || step !== selection.step) selection.packet = packetOf(step);
  selection.step = step;
  selection.call = step ? step.call || null : null;
  selection.field = field;
  selection.range = field ? [field.at >> 3, (field.at + field.length + 7) >> 3] : range;
  selection.state = state;
  showInLadder();
  showInScript();
  showInPacket();
  showInStream();
  showInPlayer();
  showPlots();
}

// The packet to show with a step: its own, or the first it caused, or what it received.
function packetOf(step) {
  if (!step) return null;
  if (step.packet) return step.packet;
  if (!step.call) return null;
  return step.call.packets[0] || (step.call.name.startsWith("recv") ? receivedBy(step.call)[0] : null) || null;
}

// Whether a step belongs to the same call, or has to do with the same bytes.
function isRelated(step) {
  return Boolean(selection.call && step.call === selection.call && step !== selection.step);
}

function chooseSteps(flowId) {
  view.flow = flowId;
  const flow = trace.flows.get(flowId);
  if (!flow) view.steps = view.large ? [] : trace.steps;
  else {
    const sockets = new Set();
    for (const [key, { socket }] of trace.sockets) {
      const [, local, remote] = key.split("|");
      if ((local === flow.ends[0] && remote === flow.ends[1]) || (local === flow.ends[1] && remote === flow.ends[0])) sockets.add(socket);
    }
    const calls = new Set(flow.packets.map((packet) => packet.cause).filter(Boolean));
    view.steps = trace.steps.filter((step) => {
      if (step.kind === "packet") return step.packet.flow === flow;
      if (step.kind === "note") return flow.roles.includes(step.role);
      return calls.has(step.call) || sockets.has(step.call.socket);
    });
  }
  view.place = new Map(view.steps.map((step, i) => [step.index, i]));
}

function buildHeader() {
  const exchange = trace.exchange;
  const title = exchange ? exchange.title || exchange.lab : trace.report.file || "A capture";
  document.title = `${visible(title)} · handlens`;
  byId("title").textContent = visible(title);
  byId("about").textContent = exchange ? visible(exchange.about || "") : "";
  const last = trace.steps.at(-1);
  const facts = [];
  if (exchange) facts.push(["Lab", exchange.script], ["Where", exchange.place], ["Address", exchange.address || ""]);
  else facts.push(["File", trace.report.file]);
  facts.push(["Packets", trace.packets.length.toLocaleString("en")], ["Took", last ? duration(last.t) : ""]);
  facts.push(["When", Number(trace.report.origin) > 0 ? new Date(Number(trace.report.origin) * 1000).toISOString().replace("T", " ").slice(0, 19) + " UTC" : ""]);
  for (const [name, text] of facts) if (text) byId("facts").append(el("div", {}, el("dt", { text: name }), el("dd", { text: visible(String(text)) })));
  byId("made").textContent = `Made by ${visible(trace.report.program)}. This file needs no network and asks for none.`;
}

function buildRemarks() {
  const remarks = [];
  const { finish, report, end } = trace;
  if (end && end.outcome !== "done") remarks.push(`The exchange ended early: ${end.text || end.outcome}`);
  if (finish.damage) remarks.push(`The file is damaged, and shown up to there: ${finish.damage}`);
  if (finish.dropped) remarks.push(`${plural(finish.dropped, "packet")} could not be captured: the kernel had no room for them.`);
  if (report.filter) remarks.push(`Only packets that match “${report.filter}” are shown.`);
  if (finish.flows_left_out) remarks.push(`${plural(finish.flows_left_out, "flow")} more are not in this report: it holds the first ${trace.flows.size.toLocaleString("en")}.`);
  if (finish.left_out) remarks.push(`${plural(finish.left_out, "packet")} more are not in this report: it holds ${trace.packets.length.toLocaleString("en")}.`);
  if (finish.cut) remarks.push(`Of ${plural(finish.cut, "packet")} only the headers and a little of the payload are here, for the report holds 48 MiB of bytes.`);
  if (view.large) remarks.push(`This is a large trace: above ${FLOWS_FIRST.toLocaleString("en")} packets the flows come first, and the ladder shows the one you choose.`);
  if (remarks.length === 0) return;
  byId("remarks").hidden = false;
  byId("remarks").append(...remarks.map((text) => el("p", { text: visible(text, "\n") })));
}

// In a long ladder of one flow the first packet is the place to begin.
function begin() {
  readTrace();
  view.large = trace.packets.length > FLOWS_FIRST;
  buildHeader();
  buildRemarks();
  buildChecks();
  buildFlows();
  buildScript();
  buildTerms();
  startLadder();
  startDiagram();
  startBytes();
  startStream();
  startPlayer();
  showFlow(0);
  addEventListener("resize", () => { stopExplaining(false); drawPlots(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawPlots);
  if (view.steps.length === 0 && !view.large)
    byId("ladder-space").append(el("p", { class: "hint", text: "Nothing was captured." }));
  if (view.large) byId("ladder-space").append(el("p", { class: "hint", text: "Choose a flow above." }));
  document.documentElement.dataset.ready = performance.now().toFixed(0);
}

begin();
