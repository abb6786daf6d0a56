// The headers of the chosen packet as the RFCs draw them, 32 bits a row, filled with its values.

const HEADER_RFC = { "IPv4": "RFC 791 section 3.1", "IPv6": "RFC 8200 section 3", "TCP": "RFC 9293 section 3.1",
                     "UDP": "RFC 768", "ICMP": "RFC 792", "ICMPv6": "RFC 4443 section 2.1", "ARP": "RFC 826",
                     "Ethernet": "IEEE 802.3" };
const LAYER_STYLE = { "TCP": "transport", "UDP": "transport", "ICMP": "transport", "ICMPv6": "transport",
                      "IPv4": "network", "IPv6": "network", "IPv6 extension": "network", "ARP": "network",
                      "Payload": "payload", "Padding": "frame" };
const layerStyle = (layer) => LAYER_STYLE[layer] || "frame";

const SHORT = { "Reserved": "Rsv", "Header Length": "IHL", "Data Offset": "Data Offset", "Fragment Offset": "Fragment Offset" };
const FIELD_TERMS = { "Sequence Number": "sequence number", "Acknowledgment Number": "acknowledgment number",
                      "Window": "window", "Checksum": "checksum", "Source Port": "port", "Destination Port": "port",
                      "SYN": "SYN", "ACK": "ACK", "FIN": "FIN", "RST": "RST", "PSH": "PSH", "URG": "URG", "ECE": "ECE",
                      "CWR": "CWR", "Shift Count": "window scale", "Maximum Segment Size": "mss", "TS Value": "timestamps",
                      "TS Echo Reply": "timestamps", "Left Edge": "SACK", "Right Edge": "SACK", "SACK Permitted": "SACK" };

// The packet's headers: runs of fields of one layer.
function headersOf(packet) {
  const headers = [];
  for (const field of fieldsOf(packet)) {
    const last = headers.at(-1);
    if (last && last.layer === field.layer && last.quoted === field.quoted) last.fields.push(field);
    else headers.push({ layer: field.layer, quoted: field.quoted, fields: [field] });
  }
  return headers;
}

// What else there is to say about a field.
function fieldRemark(packet, field) {
  if (field.layer === "TCP" && packet.flow && !field.quoted) {
    if (field.name === "Sequence Number") return `relative ${packet.seq}`;
    if (field.name === "Acknowledgment Number" && packet.has.ACK) return `relative ${packet.ack}`;
    if (field.name === "Window" && !packet.has.SYN && packet.win !== field.value) return `scaled ${packet.win}`;
  }
  return field.note;
}

function groupOf(packet, field) {
  for (let i = field.index - 1; i >= 0; i--) {
    const other = packet.fields[i];
    if (other.depth < field.depth) return other.group ? other : null;
  }
  return null;
}

function fieldTitle(packet, field) {
  const group = field.depth > 0 ? groupOf(packet, field) : null;
  const remark = fieldRemark(packet, field);
  const bits = field.length % 8 === 0 ? plural(field.length / 8, "byte") : plural(field.length, "bit");
  return `${group && group.name !== field.name ? group.name + ", " : ""}${field.name}: ${field.text}` +
    `${remark ? ` (${remark})` : ""}, ${bits} at byte ${field.at >> 3}`;
}

// Cells of one field: one per row that it touches, whole rows joined.
function cellsOf(packet, field, base) {
  const cells = [];
  let at = field.at - base;
  const end = at + field.length;
  while (at < end) {
    const column = at % 32;
    const rows = column === 0 ? Math.min(4, Math.max(1, Math.floor((end - at) / 32))) : 1;
    const span = Math.min(32 - column, end - at);
    cells.push({ row: (at >> 5) + 1, column: column + 1, span, rows: span === 32 ? rows : 1 });
    at += span === 32 ? Math.max(32, Math.floor((end - at) / 32) * 32) : span;
  }
  const widest = cells.reduce((best, cell) => (cell.span * cell.rows > best.span * best.rows ? cell : best));
  return cells.map((cell) => {
    const named = cell === widest;
    const remark = fieldRemark(packet, field);
    const tiny = cell.span < 3;
    const name = named ? (cell.span < 5 && SHORT[field.name]) || field.name : "";
    const node = el("button", { type: "button", class: "field" + (tiny ? " bit" + (field.value ? " set" : "") : "") + (named ? "" : " rest"), "data-field": field.index,
                                tabindex: "-1", title: fieldTitle(packet, field), "aria-label": fieldTitle(packet, field), "aria-hidden": named ? null : "true" },
                    el("span", { class: "name", text: name }),
                    named ? el("span", { class: "value", text: tiny && field.length === 1 ? String(field.value) : field.text }) : null,
                    named && remark && cell.span >= 12 ? el("span", { class: "remark", text: remark }) : null);
    node.style.gridRow = `${cell.row + 1} / span ${cell.rows}`;
    node.style.gridColumn = `${cell.column} / span ${cell.span}`;
    return node;
  });
}

const opened = { "TCP": true, "UDP": true, "ICMP": true, "ICMPv6": true, "ARP": true };

function headerSummary(packet, header) {
  if (header.layer === "IPv4" || header.layer === "IPv6") {
    const find = (name) => (header.fields.find((field) => field.name === name) || { text: "?" }).text;
    return `${find("Source Address")} → ${find("Destination Address")}`;
  }
  if (header.layer === "TCP" && !header.quoted) return packetText(packet);
  return plural(Math.ceil(header.fields.reduce((sum, f) => sum + (f.depth ? 0 : f.length), 0) / 8), "byte");
}

function headerNode(packet, header) {
  const base = header.fields[0].at;
  const leaves = header.fields.filter((field) => !field.group);
  const grid = el("div", { class: "diagram", role: "group", "aria-label": `${header.layer} header` });
  for (let bit = 0; bit < 32; bit++) {
    const ruler = el("span", { class: "ruler", "aria-hidden": "true", text: bit % 8 === 0 || bit === 31 ? String(bit) : "·" });
    ruler.style.gridColumn = String(bit + 1);
    grid.append(ruler);
  }
  for (const field of leaves) grid.append(...cellsOf(packet, field, base));
  const details = el("details", { class: "header " + layerStyle(header.layer), open: Boolean(opened[header.layer]) && !header.quoted },
    el("summary", {}, el("b", { text: (header.quoted ? "quoted " : "") + header.layer }), " ", el("span", { class: "of", text: headerSummary(packet, header) }),
       " ", HEADER_RFC[header.layer] ? el("span", { class: "rfc", text: HEADER_RFC[header.layer] }) : null), grid);
  details.addEventListener("toggle", () => { opened[header.layer] = details.open; });
  return details;
}

function drawHeaders(packet) {
  const box = clear(byId("headers"));
  for (const header of headersOf(packet)) {
    if (header.layer === "Payload" || header.layer === "Padding") continue;
    box.append(headerNode(packet, header));
  }
  const first = box.querySelector("details[open] .field:not(.rest)") || box.querySelector(".field");
  if (first) first.tabIndex = 0;
}

function startDiagram() {
  const box = byId("headers");
  const fieldAt = (event) => {
    const node = event.target.closest("[data-field]");
    return node && selection.packet ? fieldsOf(selection.packet)[Number(node.dataset.field)] : null;
  };
  box.addEventListener("pointerover", (event) => light(fieldAt(event)));
  box.addEventListener("pointerleave", () => light(null));
  box.addEventListener("focusin", (event) => light(fieldAt(event)));
  box.addEventListener("click", (event) => {
    const field = fieldAt(event);
    if (field) select(selection.step, { field, keep: true });
  });
  box.addEventListener("keydown", (event) => {
    const node = event.target.closest(".field");
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!node || !by) return;
    event.preventDefault();
    event.stopPropagation();
    const all = [...box.querySelectorAll("details[open] .field:not(.rest)")];
    const next = all[all.indexOf(node) + by];
    if (!next) return;
    node.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}
