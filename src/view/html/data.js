// The trace, from the JSON array in the page: events joined into calls, packets, flows and steps.

// Above so many packets the page begins with the flows, and the ladder shows one of them.
const FLOWS_FIRST = 20000;
// More client roles than this share one lane.
const LANES_MOST = 6;

const trace = {
  report: { states: [], marks: [], file: "", filter: "", program: "handlens", origin: "0.0" },
  exchange: null, end: null, finish: { dropped: 0, left_out: 0, flows_left_out: 0, cut: 0 },
  scripts: [], roles: new Map(), calls: new Map(), packets: [], packetByNumber: new Map(),
  flows: new Map(), checks: [], steps: [], layouts: new Map(), texts: new Map(),
  sockets: new Map(), lanes: [],
};

const MARK = {};

// Seconds as text, "12.000000034", to ns since the trace began.
function sinceOrigin(text) {
  const split = (s) => {
    const [whole, part] = s.replace("-", "").split(".");
    const sign = s.startsWith("-") ? -1n : 1n;
    return sign * (BigInt(whole) * 1000000000n + BigInt(part || 0));
  };
  return Number(split(text) - sinceOrigin.base(split));
}
sinceOrigin.base = (split) => {
  sinceOrigin.known ??= split(trace.report.origin);
  return sinceOrigin.known;
};

function addStep(step) {
  step.index = trace.steps.length;
  trace.steps.push(step);
  return step;
}

function flowOf(id) {
  let flow = trace.flows.get(id);
  if (!flow) {
    flow = { id, packets: [], ends: [null, null], roles: [0, 0], lanes: [0, 0], data: 0, marks: 0,
             isn: [null, null], summary: null };
    trace.flows.set(id, flow);
  }
  return flow;
}

const readers = {
  report(event) {
    Object.assign(trace.report, event);
    event.marks.forEach((name, i) => { MARK[name] = 1 << i; });
  },
  exchange(event) { trace.exchange = event; },
  script(event) { trace.scripts.push({ name: event.name, text: event.text }); },
  role(event) { trace.roles.set(event.id, { ...event, name: visible(event.name) }); },
  layout(event) { trace.layouts.set(event.id, event.fields); },
  text(event) { trace.texts.set(event.id, event.text); },
  call(event) {
    const call = { id: event.id, role: event.role, name: visible(event.call),
                   args: visible(event.args), socket: event.socket || 0, script: event.script || "",
                   line: event.line || 0, t: sinceOrigin(event.time), end: null, result: "",
                   error: "", message: "", packets: [], kernel: null, step: null, back: null };
    trace.calls.set(call.id, call);
    call.step = addStep({ kind: "call", t: call.t, role: call.role, call });
  },
  return(event) {
    const call = trace.calls.get(event.id);
    if (!call) return;
    call.end = sinceOrigin(event.end);
    call.result = visible(event.result || "");
    call.error = event.error || "";
    call.message = visible(event.message || "");
    if (trace.steps.at(-1) === call.step) call.step.whole = true;
    else call.back = addStep({ kind: "return", t: call.end, role: call.role, call });
  },
  socket(event) {
    const key = `${event.protocol}|${event.local}|${event.remote || ""}`;
    trace.sockets.set(key, { role: event.role, socket: event.id });
  },
  kernel_state(event) {
    const call = trace.calls.get(event.call);
    if (call) call.kernel = event;
  },
  note(event) {
    addStep({ kind: "note", t: sinceOrigin(event.time), role: event.role,
              note: { kind: event.kind, text: visible(event.text, "\t\n").replaceAll("\t", " "),
                      script: event.script || "", line: event.line || 0 } });
  },
  packet(event) {
    const text = (id) => (id ? trace.texts.get(id) || "" : "");
    const packet = { n: event.n, t: event.t, protocol: event.protocol, src: text(event.src),
                     dst: text(event.dst), flow: null, from: event.from || 0,
                     flags: text(event.flags), options: text(event.options), seq: event.seq || 0,
                     ack: event.ack || 0, win: event.win || 0, len: event.len || 0,
                     at: event.at || 0, cause: trace.calls.get(event.cause) || null,
                     marks: event.marks || 0, dup: event.dup || 0, dupOf: event.dup_of || 0,
                     fly: event.fly || 0, rtt: event.rtt || 0, rttOf: event.rtt_of || 0,
                     sack: event.sack || null, states: event.states || null, icmp: event.icmp || "",
                     wire: event.wire, captured: event.captured || event.wire,
                     fault: event.fault || "", comment: visible(event.comment || ""),
                     layout: event.layout, texts: event.texts, base64: event.bytes,
                     has: {}, step: null, resent: null };
    for (const flag of packet.flags.split(" ")) packet.has[flag] = true;
    if (event.flow) {
      packet.flow = flowOf(event.flow);
      packet.flow.packets.push(packet);
      packet.flow.marks |= packet.marks;
      if (packet.len > 0) packet.flow.data++;
    }
    if (packet.cause) packet.cause.packets.push(packet);
    trace.packets.push(packet);
    trace.packetByNumber.set(packet.n, packet);
    packet.step = addStep({ kind: "packet", t: packet.t, packet, call: packet.cause,
                            role: packet.cause ? packet.cause.role : 0 });
  },
  check(event) { trace.checks.push(event); },
  flow(event) {
    const flow = flowOf(event.id);
    flow.summary = event;
    flow.isn = [event.client_isn, event.server_isn];
  },
  end(event) { trace.end = event; },
  finish(event) { trace.finish = event; },
};

// Which role a flow's end is, by its sockets' addresses; 0 for a stranger.
function roleOfEnd(flow, end, protocol) {
  const local = flow.ends[end];
  const remote = flow.ends[1 - end];
  const known = trace.sockets.get(`${protocol}|${local}|${remote}`) ||
                trace.sockets.get(`${protocol}|${local}|`);
  if (known) return known.role;
  // Listening at any address, or a client whose connection failed before it had a name.
  const port = local.slice(local.lastIndexOf(":"));
  const any = trace.sockets.get(`${protocol}|0.0.0.0${port}|`) ||
              trace.sockets.get(`${protocol}|[::]${port}|`);
  if (any) return any.role;
  const first = flow.packets.find((packet) => packet.from === end && packet.cause);
  const role = first && trace.roles.get(first.cause.role);
  return role && (role.kind === "client") === (end === 0) ? role.id : 0;
}

function laneOfRole(id) {
  return trace.lanes.findIndex((lane) => lane.roles.has(id));
}

function strangersLane(right) {
  let at = trace.lanes.findIndex((lane) => lane.stranger && lane.right === right);
  if (at >= 0) return at;
  const hasRoles = trace.roles.size > 0;
  const lane = { name: hasRoles ? "others" : right ? "server" : "client", roles: new Set(), right,
                 stranger: true, note: "", who: right ? 1 : 0 };
  at = right ? trace.lanes.length : trace.lanes.filter((other) => !other.right).length;
  trace.lanes.splice(at, 0, lane);
  return at;
}

function makeLanes() {
  const clients = [...trace.roles.values()].filter((role) => role.kind === "client");
  const servers = [...trace.roles.values()].filter((role) => role.kind !== "client");
  const shared = clients.length > LANES_MOST;
  const lane = (name, roles, right) => ({ name, roles: new Set(roles.map((role) => role.id)), right,
                                          stranger: false, note: "", who: right ? 1 : 0, shared });
  if (shared) trace.lanes.push(lane(`${clients.length} clients`, clients, false));
  else for (const role of clients) trace.lanes.push(lane(role.name, [role], false));
  for (const role of servers) trace.lanes.push(lane(role.name, [role], true));
  const ends = [];
  for (const flow of trace.flows.values()) {
    for (const end of [0, 1]) {
      if (laneOfRole(flow.roles[end]) < 0) ends.push([flow, end]);
    }
  }
  if (ends.some(([, end]) => end === 0)) strangersLane(false);
  if (ends.some(([, end]) => end === 1)) strangersLane(true);
  if (trace.packets.some((packet) => !packet.flow)) {
    if (!trace.lanes.some((other) => !other.right)) strangersLane(false);
    if (!trace.lanes.some((other) => other.right)) strangersLane(true);
  }
  for (const flow of trace.flows.values()) {
    flow.lanes = flow.roles.map((role, end) =>
      (laneOfRole(role) >= 0 ? laneOfRole(role) : strangersLane(end === 1)));
  }
}

// Packets outside all flows: whoever is seen first of a pair stands on the left.
function placeLonePackets() {
  const left = new Set();
  const first = trace.lanes.findIndex((lane) => !lane.right);
  const last = trace.lanes.findIndex((lane) => lane.right);
  for (const packet of trace.packets) {
    if (packet.flow) {
      const end = packet.from;
      packet.lanes = [packet.flow.lanes[end], packet.flow.lanes[1 - end]];
      continue;
    }
    const answer = /reply|unreachable|exceeded|redirect|problem|too big/.test(packet.icmp);
    if (!left.has(packet.dst) && !answer) left.add(packet.src);
    const fromLeft = packet.src === packet.dst ? !answer : left.has(packet.src) && !answer;
    packet.lanes = fromLeft ? [first, last] : [last, first];
  }
}

// A segment that was sent again: the first one did not arrive, as far as its sender could tell.
function findResent() {
  const again = MARK["retransmission"] | MARK["fast retransmission"];
  for (const flow of trace.flows.values()) {
    if (!(flow.marks & again)) continue;
    const sent = [new Map(), new Map()];
    for (const packet of flow.packets) {
      if (packet.len === 0 && !packet.has.SYN && !packet.has.FIN) continue;
      const earlier = sent[packet.from].get(packet.seq);
      if (packet.marks & again && earlier) earlier.resent = packet;
      if (!(packet.marks & MARK["keep-alive"])) sent[packet.from].set(packet.seq, packet);
    }
  }
}

function readTrace() {
  for (const event of JSON.parse(byId("trace").textContent)) {
    const read = Object.hasOwn(readers, event.event) ? readers[event.event] : null;
    if (read) read(event);
  }
  byId("trace").remove(); // what is needed of it has been taken
  for (const flow of [...trace.flows.values()]) {
    const packet = flow.packets[0];
    if (!packet) {
      if (flow.summary) flow.ends = [flow.summary.client, flow.summary.server];
      continue;
    }
    flow.protocol = packet.protocol === "UDP" ? "UDP" : flow.summary ? flow.summary.protocol : "TCP";
    flow.ends = packet.from === 0 ? [packet.src, packet.dst] : [packet.dst, packet.src];
    flow.roles = [0, 1].map((end) => roleOfEnd(flow, end, flow.protocol));
  }
  makeLanes();
  placeLonePackets();
  findResent();
}

// The name of a flow's end.
function endName(flow, end) {
  const role = trace.roles.get(flow.roles[end]);
  if (role) return role.name;
  return end === 0 ? "client" : "server";
}

function senderName(packet) {
  return packet.flow ? endName(packet.flow, packet.from) : packet.src || "somebody";
}

const roleName = (id) => (trace.roles.get(id) || { name: "somebody" }).name;
const stateName = (state) => trace.report.states[state] || "?";
const markNames = (marks) => trace.report.marks.filter((name, i) => marks >> i & 1);

function callText(call) {
  return `${call.name}(${call.args})`;
}

// "sendall → 21": how it returned; "" while it has not.
function returnText(call) {
  if (call.end === null) return "";
  if (call.error) return call.error;
  return call.result;
}

// Where in the script a step is: {script, line}, or null.
function siteOf(step) {
  const of = step.kind === "note" ? step.note : step.call;
  return of && of.line ? of : null;
}

// The packet's bytes, decoded when they are wanted.
function bytesOf(packet) {
  packet.bytes ??= Uint8Array.from(atob(packet.base64 || ""), (c) => c.charCodeAt(0));
  return packet.bytes;
}

const FORM_DECIMAL = 0;
const FORM_HEX = 1;
const FORM_BIT = 2;

function bitsAt(bytes, at, length) {
  let value = 0;
  for (let bit = at; bit < at + length; bit++) {
    if (bit % 8 === 0 && bit + 8 <= at + length) {
      value = value * 256 + (bytes[bit >> 3] || 0);
      bit += 7;
    } else {
      value = value * 2 + ((bytes[bit >> 3] || 0) >> (7 - bit % 8) & 1);
    }
  }
  return value;
}

// The packet's fields, in the order of its bytes.
function fieldsOf(packet) {
  if (packet.fields) return packet.fields;
  const bytes = bytesOf(packet);
  const ends = [0]; // where the next field of a depth begins
  let texts = 0;
  packet.fields = (trace.layouts.get(packet.layout) || []).map(
    ([layer, name, length, form, flags, note], index) => {
      const depth = flags >> 2;
      const at = ends[depth];
      ends[depth] = at + length;
      ends[depth + 1] = at;
      const field = { index, layer, name, at, length, note, depth, group: (flags & 1) !== 0,
                      quoted: (flags & 2) !== 0, value: 0, text: "" };
      if (form === FORM_DECIMAL || form === FORM_HEX || form === FORM_BIT)
        field.value = bitsAt(bytes, at, length);
      if (form === FORM_DECIMAL) field.text = String(field.value);
      else if (form === FORM_HEX)
        field.text = "0x" + field.value.toString(16).padStart((length + 3) >> 2, "0");
      else if (form === FORM_BIT) field.text = field.value ? "set" : "not set";
      else field.text = visible(trace.texts.get(packet.texts[texts++]) || "");
      return field;
    });
  return packet.fields;
}

function fieldNamed(packet, layer, name) {
  return fieldsOf(packet).find((field) =>
    field.layer === layer && field.name === name && !field.quoted) || null;
}

// The number on the wire, of a TCP header's field; null where there is none.
function tcpNumber(packet, name) {
  const field = fieldNamed(packet, "TCP", name);
  return field ? field.value : null;
}
