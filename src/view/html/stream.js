// The stream of the chosen packet's flow: what each end's program gets to read, in order, each byte
// once, joined from the packets.

const CHUNK_TEXT = 4096; // bytes of a chunk that are shown
const CHUNKS_AROUND = 150;
const talk = { flow: null, chunks: [], from: 0, to: 0, turns: new Map() };

// Pieces {packet, at, length, end, position}: at counts from the packet's first byte.
function chunksOf(flow) {
  if (flow.chunks) return flow.chunks;
  const chunks = flow.chunks = [];
  const next = [null, null];
  const waiting = [[], []];
  const deliver = (packet) => {
    const end = packet.from;
    const start = packet.seq + (packet.has.SYN ? 1 : 0);
    const skip = Math.max(0, next[end] - start);
    if (skip < packet.len) chunks.push({ packet, end, at: packet.at + skip, length: packet.len - skip, position: start + skip });
    next[end] = Math.max(next[end], start + packet.len);
  };
  for (const packet of flow.packets) {
    if (flow.protocol === "UDP") {
      if (packet.len > 0) chunks.push({ packet, end: packet.from, at: packet.at, length: packet.len, position: 0 });
      continue;
    }
    const end = packet.from;
    if (packet.has.SYN) next[end] ??= packet.seq + 1;
    if (packet.len === 0 || packet.marks & MARK["keep-alive"]) continue;
    next[end] ??= packet.seq;
    if (packet.seq > next[end]) { waiting[end].push(packet); continue; }
    deliver(packet);
    waiting[end].sort((a, b) => a.seq - b.seq);
    while (waiting[end].length && waiting[end][0].seq <= next[end]) deliver(waiting[end].shift());
  }
  for (const end of [0, 1]) {
    waiting[end].sort((a, b) => a.seq - b.seq);
    for (const packet of waiting[end]) {
      if (packet.seq > next[end]) chunks.push({ packet, end, at: packet.at, length: 0, gap: packet.seq - next[end], position: next[end] });
      next[end] = Math.max(next[end], packet.seq);
      deliver(packet);
    }
  }
  return chunks;
}

// The text of bytes, and for every character where its byte is. A byte that is no UTF-8 is ⟨hex⟩.
function textOf(bytes) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const places = [];
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at];
    let length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    let piece;
    try {
      piece = lead < 0x80 ? String.fromCharCode(lead) : decoder.decode(bytes.subarray(at, at + length));
      piece = visible(piece, "\n\t");
      if (piece === "␍" && bytes[at + 1] === 10) piece = "";
    } catch {
      length = 1;
      piece = `⟨${lead.toString(16).padStart(2, "0")}⟩`;
    }
    for (let i = 0; i < piece.length; i++) places.push(at);
    text += piece;
    at += length;
  }
  return { text, places };
}

function chunkNode(chunk, index) {
  if (chunk.gap) return el("p", { class: "gap", text: `${plural(chunk.gap, "byte")} missing` });
  const bytes = bytesOf(chunk.packet).subarray(chunk.at, chunk.at + Math.min(chunk.length, CHUNK_TEXT));
  chunk.read = textOf(bytes);
  const pre = el("pre", { text: chunk.read.text });
  const node = el("div", { class: "chunk who" + chunk.end, role: "option", id: `chunk-${index}`, "data-chunk": index, "aria-selected": "false",
                           "aria-label": `${endName(chunk.packet.flow, chunk.end)}, packet ${chunk.packet.n}, ${plural(chunk.length, "byte")}: ${cutText(chunk.read.text, 200)}` },
                  el("span", { class: "from", text: `${endName(chunk.packet.flow, chunk.end)} · ${chunk.packet.n}` }), pre,
                  bytes.length < chunk.length ? el("span", { class: "hint", text: `and ${plural(chunk.length - bytes.length, "byte")} more` }) : null);
  return node;
}

function drawStream(around) {
  const box = clear(byId("stream-body"));
  const flow = talk.flow;
  if (!flow) return;
  if (talk.chunks.length === 0) {
    box.append(el("p", { class: "hint", text: "No data went over this flow." }));
    return;
  }
  talk.from = Math.max(0, around - CHUNKS_AROUND);
  talk.to = Math.min(talk.chunks.length, around + CHUNKS_AROUND);
  const more = (label, at) => el("button", { type: "button", class: "link", text: label, click: () => drawStream(at) });
  if (talk.from > 0) box.append(more(`${plural(talk.from, "earlier piece")} …`, Math.max(0, talk.from - CHUNKS_AROUND)));
  const list = el("div", { role: "listbox", tabindex: "0", id: "chunks", "aria-label": `What was said in flow ${flow.id}` });
  for (let i = talk.from; i < talk.to; i++) list.append(chunkNode(talk.chunks[i], i));
  box.append(list);
  if (talk.to < talk.chunks.length)
    box.append(more(`${plural(talk.chunks.length - talk.to, "later piece")} …`, talk.to + CHUNKS_AROUND));
}

function unmark(node) {
  const pre = node.querySelector("pre");
  const chunk = talk.chunks[Number(node.dataset.chunk)];
  if (pre && chunk.read && pre.querySelector("mark")) pre.textContent = chunk.read.text;
}

// Marks the characters of the chosen bytes.
function markText(node, chunk) {
  const range = selection.range;
  if (!range) return;
  const from = chunk.read.places.findIndex((place) => place + chunk.at >= range[0]);
  let to = chunk.read.places.findIndex((place) => place + chunk.at >= range[1]);
  if (to < 0) to = chunk.read.text.length;
  if (range[1] <= chunk.at || from < 0) return;
  const begin = chunk.read.places[from] + chunk.at > range[0] && from > 0 ? chunk.read.places.lastIndexOf(chunk.read.places[from - 1], from) : from;
  const text = chunk.read.text;
  clear(node.querySelector("pre")).append(text.slice(0, begin), el("mark", { text: text.slice(begin, Math.max(to, begin + 1)) }), text.slice(Math.max(to, begin + 1)));
}

// The packets whose data belong to the selection.
function spokenPackets() {
  const step = selection.step;
  if (!step) return new Set();
  if (step.kind === "packet") return new Set([step.packet]);
  if (!step.call) return new Set();
  const packets = new Set(step.call.packets.filter((packet) => packet.len > 0));
  // What recv returned had come before it.
  if (step.call.name.startsWith("recv") && packets.size === 0) for (const packet of receivedBy(step.call)) packets.add(packet);
  return packets;
}

// The newest data packet towards the role before the call returned.
function receivedBy(call) {
  const socket = [...trace.sockets.entries()].find(([, known]) => known.socket === call.socket);
  if (!socket || call.end === null || call.error) return [];
  const [, local, remote] = socket[0].split("|");
  let found = null;
  for (const flow of trace.flows.values()) {
    const end = flow.ends[0] === local && flow.ends[1] === remote ? 0 : flow.ends[1] === local && flow.ends[0] === remote ? 1 : -1;
    if (end < 0) continue;
    for (const packet of flow.packets)
      if (packet.t <= call.end && packet.from !== end && packet.len > 0) found = packet;
  }
  return found ? [found] : [];
}

function showInStream() {
  const packets = spokenPackets();
  const any = selection.packet || [...packets][0];
  const flow = (any && any.flow) || talk.flow || firstFlow();
  let at = -1;
  if (flow !== talk.flow) {
    talk.flow = flow;
    talk.chunks = flow ? chunksOf(flow) : [];
    drawStream(0);
  }
  at = talk.chunks.findIndex((chunk) => packets.has(chunk.packet));
  if (at >= 0 && (at < talk.from || at >= talk.to)) drawStream(at);
  const list = byId("chunks");
  if (!list) return;
  list.removeAttribute("aria-activedescendant");
  for (const node of list.querySelectorAll(".chunk")) {
    const chunk = talk.chunks[Number(node.dataset.chunk)];
    const on = packets.has(chunk.packet);
    node.classList.toggle("now", on);
    node.setAttribute("aria-selected", String(on));
    unmark(node);
    if (!on) continue;
    if (selection.packet === chunk.packet) markText(node, chunk);
    if (chunk === talk.chunks[at]) {
      list.setAttribute("aria-activedescendant", node.id);
      revealNode(byId("stream-body"), node);
    }
  }
}

const firstFlow = () => trace.flows.get(view.flow) || [...trace.flows.values()].find((flow) => flow.packets.length > 0) || null;

// Where in the text a click was: a character's index, or -1.
function textAt(event, pre) {
  const from = document.caretPositionFromPoint ? document.caretPositionFromPoint(event.clientX, event.clientY) : null;
  if (!from || !pre.contains(from.offsetNode)) return -1;
  let before = 0;
  const walker = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT);
  while (walker.nextNode() && walker.currentNode !== from.offsetNode) before += walker.currentNode.length;
  return before + from.offset;
}

function startStream() {
  const box = byId("stream-body");
  box.addEventListener("click", (event) => {
    const node = event.target.closest(".chunk");
    if (!node) return;
    const chunk = talk.chunks[Number(node.dataset.chunk)];
    const pre = event.target.closest("pre");
    const at = pre ? Math.min(textAt(event, pre), chunk.read.places.length - 1) : -1;
    const byte = at >= 0 ? chunk.at + chunk.read.places[at] : -1;
    select(chunk.packet.step, byte >= 0 ? { range: [byte, byte + 1] } : {});
  });
  box.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || !event.target.closest("#chunks")) return;
    event.preventDefault();
    event.stopPropagation();
    const at = talk.chunks.findIndex((chunk) => selection.packet === chunk.packet);
    for (let next = at + by; next >= 0 && next < talk.chunks.length; next += by) {
      if (talk.chunks[next].gap) continue;
      select(talk.chunks[next].packet.step);
      byId("chunks").focus({ preventScroll: true });
      return;
    }
  });
}
