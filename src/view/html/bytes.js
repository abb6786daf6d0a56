// The chosen packet: what it means, its headers, and its bytes. Fields and bytes light each other.

const PAGE = 1024; // bytes of the hexdump shown at a time
const dump = { packet: null, from: 0, layers: [] };

function layersOfBytes(packet) {
  const layers = [];
  for (const field of fieldsOf(packet)) {
    if (field.depth > 0) continue;
    for (let at = field.at >> 3; at < (field.at + field.length + 7) >> 3; at++) layers[at] ??= layerStyle(field.layer);
  }
  return layers;
}

function drawBytes(packet, from) {
  const box = clear(byId("bytes"));
  const bytes = bytesOf(packet);
  dump.packet = packet;
  dump.layers = layersOfBytes(packet);
  dump.from = Math.max(0, Math.min(from, Math.max(0, bytes.length - 1))) & ~(PAGE - 1);
  const to = Math.min(bytes.length, dump.from + PAGE);
  const per = byId("packet").clientWidth < 470 ? 8 : 16;
  const table = el("div", { class: "dump", role: "group", "aria-label": "Bytes of the packet; arrow keys go from byte to byte" });
  for (let row = dump.from; row < to; row += per) {
    const hex = el("span", { class: "hex" });
    const text = el("span", { class: "text", "aria-hidden": "true" });
    for (let at = row; at < Math.min(to, row + per); at++) {
      const value = bytes[at].toString(16).padStart(2, "0");
      hex.append(el("button", { type: "button", tabindex: "-1", class: "byte " + (dump.layers[at] || "frame"), "data-byte": at, text: value,
                                "aria-label": `byte ${at}: ${value}` }), at % 8 === 7 && at + 1 < row + per ? el("i", { text: " " }) : "");
      text.append(el("span", { class: "char " + (dump.layers[at] || "frame"), "data-byte": at,
                               text: bytes[at] >= 32 && bytes[at] < 127 ? String.fromCharCode(bytes[at]) : "·" }));
    }
    table.append(el("div", { class: "dump-row" }, el("span", { class: "offset", text: row.toString(16).padStart(4, "0") }), hex, text));
  }
  box.append(table);
  const first = table.querySelector(".byte");
  if (first) first.tabIndex = 0;
  if (bytes.length > PAGE) {
    const turn = (label, to2, off) => el("button", { type: "button", class: "link", text: label, disabled: off, click: () => { drawBytes(packet, to2); markBytes(); } });
    box.append(el("p", { class: "pages" }, turn("← earlier", dump.from - PAGE, dump.from === 0), ` bytes ${dump.from} to ${to - 1} of ${bytes.length} `,
                  turn("later →", dump.from + PAGE, to >= bytes.length)));
  }
  if (bytes.length < packet.wire)
    box.append(el("p", { class: "hint", text: `The packet had ${plural(packet.wire, "byte")}; ` +
      (packet.captured < packet.wire ? `the capture has ${packet.captured} of them.` : `this report has ${bytes.length} of them, since it is large.`) }));
}

// Lights a field and its bytes; null puts the light out.
function light(field, byte = -1) {
  for (const node of document.querySelectorAll("#packet .lit")) node.classList.remove("lit");
  if (!field) return;
  const from = byte >= 0 ? byte : field.at >> 3;
  const to = byte >= 0 ? byte + 1 : (field.at + field.length + 7) >> 3;
  for (const node of document.querySelectorAll(`#headers [data-field="${field.index}"]`)) node.classList.add("lit");
  for (let at = Math.max(from, dump.from); at < Math.min(to, dump.from + PAGE); at++)
    for (const node of document.querySelectorAll(`#bytes [data-byte="${at}"]`)) node.classList.add("lit");
}

// The leaf fields that a byte belongs to.
const fieldsAtByte = (packet, byte) =>
  fieldsOf(packet).filter((field) => !field.group && field.at < byte * 8 + 8 && field.at + field.length > byte * 8);

function lightByte(byte) {
  const packet = selection.packet;
  light(null);
  if (!packet || byte < 0) return;
  for (const field of fieldsAtByte(packet, byte))
    for (const node of document.querySelectorAll(`#headers [data-field="${field.index}"]`)) node.classList.add("lit");
  for (const node of document.querySelectorAll(`#bytes [data-byte="${byte}"]`)) node.classList.add("lit");
}

function markBytes() {
  for (const node of document.querySelectorAll("#packet .picked")) node.classList.remove("picked");
  const range = selection.range;
  const packet = selection.packet;
  if (!range || !packet) return;
  for (let at = Math.max(range[0], dump.from); at < Math.min(range[1], dump.from + PAGE); at++)
    for (const node of document.querySelectorAll(`#bytes [data-byte="${at}"]`)) node.classList.add("picked");
  const fields = selection.field ? [selection.field] : fieldsAtByte(packet, range[0]);
  for (const field of fields) {
    for (const node of document.querySelectorAll(`#headers [data-field="${field.index}"]`)) {
      node.classList.add("picked");
      const details = node.closest("details");
      if (!details.open) details.open = true;
    }
  }
  const field = document.querySelector("#headers .picked");
  if (field) revealNode(byId("packet-body"), field);
  const byte = document.querySelector("#bytes .picked");
  if (byte) revealNode(byId("packet-bytes"), byte);
  const name = fields.map((field) => field.name).join(", ");
  const term = fields.length === 1 && FIELD_TERMS[fields[0].name];
  clear(byId("picked")).append(fields.length ? fieldTitle(packet, fields[0]) : "", fields.length > 1 ? ` (${name})` : "", " ",
                               term ? termNode(term, `What is ${term}?`) : "");
}

function chooseByte(byte, focus) {
  select(selection.step, { range: [byte, byte + 1], keep: true });
  if (!focus) return;
  const node = document.querySelector(`#bytes .byte[data-byte="${byte}"]`);
  if (!node) return;
  for (const other of document.querySelectorAll('#bytes .byte[tabindex="0"]')) other.tabIndex = -1;
  node.tabIndex = 0;
  node.focus({ preventScroll: false });
}

function drawWords() {
  const step = selection.step;
  const box = clear(byId("words"));
  if (!step) return;
  const packet = selection.packet;
  if (step.kind === "packet") {
    box.append(el("p", { class: "packet-line" }, el("b", { text: `Packet ${packet.n}` }), ` ${packet.src} → ${packet.dst}, ${packet.t === 0 ? "at the start" : duration(packet.t) + " after the start"}, ${plural(packet.wire, "byte")}`));
    for (const sentence of sentencesOfPacket(packet)) box.append(sayInto(el("p"), sentence));
    const cause = sayCause(packet);
    if (cause.length) box.append(sayInto(el("p"), cause));
    const states = sayStates(packet);
    if (states.length) box.append(el("ul", { class: "changes" }, states.map((change) => sayInto(el("li"), change))));
    for (const sentence of sayChecks(packet)) box.append(sayInto(el("p", { class: "hint" }), sentence));
  } else if (step.kind === "note") {
    box.append(sayInto(el("p"), noteText(step)));
  } else {
    for (const sentence of sentencesOfCall(step.call, step.kind === "return")) box.append(sayInto(el("p"), sentence));
    if (packet) box.append(el("p", { class: "hint", text: `Below: packet ${packet.n}, the first that it caused.` }));
  }
  if (selection.state !== null && packet && packet.states) {
    const name = stateName(packet.states[selection.state + 2]);
    const about = TERMS[name];
    if (about) box.append(el("p", { class: "state-said" }, el("b", { text: `${endName(packet.flow, selection.state)} is in ${name}. ` }), about[0], " ", el("span", { class: "rfc", text: about[1] })));
  }
}

function showInPacket() {
  drawWords();
  const packet = selection.packet;
  byId("packet-bytes").hidden = !packet;
  if (!packet) {
    clear(byId("headers"));
    clear(byId("bytes"));
    dump.packet = null;
    return;
  }
  const from = selection.range ? selection.range[0] : 0;
  if (dump.packet !== packet) {
    drawHeaders(packet);
    drawBytes(packet, from);
    byId("packet-body").scrollTop = 0;
  } else if (selection.range && (from < dump.from || from >= dump.from + PAGE)) {
    drawBytes(packet, from);
  }
  clear(byId("picked"));
  markBytes();
}

function startBytes() {
  const box = byId("bytes");
  const byteAt = (event) => {
    const node = event.target.closest("[data-byte]");
    return node ? Number(node.dataset.byte) : -1;
  };
  box.addEventListener("pointerover", (event) => lightByte(byteAt(event)));
  box.addEventListener("pointerleave", () => light(null));
  box.addEventListener("click", (event) => { if (byteAt(event) >= 0) chooseByte(byteAt(event), false); });
  box.addEventListener("keydown", (event) => {
    const at = byteAt(event);
    const per = byId("packet").clientWidth < 470 ? 8 : 16;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: per, ArrowUp: -per }[event.key];
    if (at < 0 || !by) return;
    event.preventDefault();
    event.stopPropagation();
    const next = at + by;
    if (next >= 0 && next < bytesOf(selection.packet).length) chooseByte(next, true);
  });
}
