// What a step means, in sentences. A sentence is a list of texts, terms and links; what comes from
// the capture only ever becomes a text.

// say`The [[window]] is ${n} bytes.`: [[…]] in the sentence itself is a term.
function say(strings, ...values) {
  const parts = [];
  strings.forEach((text, i) => {
    text.split(/\[\[(.+?)\]\]/).forEach((piece, n) => {
      if (piece !== "") parts.push(n % 2 ? { term: piece } : piece);
    });
    if (i < values.length) parts.push(...(Array.isArray(values[i]) ? values[i] : [values[i]]));
  });
  return parts;
}

const linkTo = (step, label) => ({ step, label });

// A real link, not a button, since a button would break the line as a picture does.
function linkNode({ step, label }) {
  const go = (event) => {
    event.preventDefault();
    select(step);
  };
  return el("a", { class: "link", href: `#step-${step.index + 1}`, text: label, click: go });
}

function sayInto(node, parts) {
  for (const part of parts) {
    if (part === null || part === undefined) continue;
    if (part.term) node.append(termNode(part.term, part.label || part.term));
    else if (part.step) node.append(linkNode(part));
    else node.append(String(part));
  }
  return node;
}

const plainText = (parts) => parts.map((part) =>
  (part === null || part === undefined ? "" : part.term || part.label || String(part))).join("");

const linkToCall = (call) =>
  linkTo(call.step, (call.line ? `line ${call.line}, ` : "") + cutText(callText(call), 60));
const linkToPacket = (packet) => linkTo(packet.step, `packet ${packet.n}`);

function nextData(packet) {
  return packet.flow.packets.find((other) =>
    other.n > packet.n && other.from === packet.from && other.len > 0);
}

// The first ACK: why it carries no data.
function sayHandshakeAck(packet) {
  const sentences = [say`${senderName(packet)} acknowledges the server’s SYN: the [[three-way handshake]] is complete.`];
  if (packet.len > 0) return sentences;
  const data = nextData(packet);
  const call = packet.cause;
  sentences.push(call && call.name === "connect"
    ? say`It carries no data, for the program has none to send yet: it is still inside ${linkToCall(call)}.`
    : say`It carries no data: it only says that the SYN ACK has arrived.`);
  if (data && data.cause)
    sentences.push(say`Its first bytes come with ${linkToCall(data.cause)}, in ${linkToPacket(data)}.`);
  return sentences;
}

function sayAcked(packet) {
  const of = trace.packetByNumber.get(packet.rttOf);
  if (of) return [say`[[ACK]]: everything before byte ${packet.ack} ([[relative]]) has arrived, that is ${linkToPacket(of)}, sent ${duration(packet.rtt)} before ([[RTT]]).`];
  return [say`[[ACK]]: everything before byte ${packet.ack} ([[relative]]) has arrived.`];
}

function sayFin(packet) {
  const flow = packet.flow;
  const first = flow.packets.find((other) => other.has.FIN);
  const who = senderName(packet);
  if (first === packet)
    return [say`${who} closes first: its [[FIN]] says that it will send no more. So [[TIME-WAIT]] will be at this end, once both goodbyes are acknowledged.`];
  if (first.from === packet.from) return [say`${who} says again that it will send no more ([[FIN]]).`];
  return [say`${who} closes too ([[FIN]]).`];
}

function sayData(packet) {
  const last = packet.seq + packet.len - 1;
  return [say`${senderName(packet)} sends ${plural(packet.len, "byte")}: ${packet.len === 1 ? "number" : "numbers"} ${packet.seq}${packet.len === 1 ? "" : ` to ${last}`} of its stream ([[relative]] [[sequence number]]s).${packet.has.PSH ? " " : ""}${packet.has.PSH ? { term: "PSH" } : ""}${packet.has.PSH ? " says: hand them on at once." : ""}`];
}

function sayTcp(packet) {
  const sequence = tcpNumber(packet, "Sequence Number");
  const who = senderName(packet);
  const sentences = [];
  const completes = packet.states && packet.from === 0 && packet.has.ACK && !packet.has.SYN &&
    stateName(packet.states[1]) === "SYN-RECEIVED" && stateName(packet.states[3]) === "ESTABLISHED";
  if (packet.has.RST) {
    sentences.push(stateName(packet.states ? packet.states[0] : 0) === "SYN-SENT"
      ? say`Nobody listens at that [[port]]: the kernel answers the SYN with a reset ([[RST]]).`
      : say`${who} breaks the connection off ([[RST]]): what was under way is lost.`);
  } else if (packet.has.SYN && packet.has.ACK) {
    sentences.push(say`${who} agrees ([[SYN ACK]]). Its own [[initial sequence number]] is ${sequence} on the wire; its [[acknowledgment number]] ${tcpNumber(packet, "Acknowledgment Number")} is the client’s plus 1.`);
  } else if (packet.has.SYN) {
    sentences.push(say`${who} asks for a connection ([[SYN]]). Its [[initial sequence number]] is ${sequence} on the wire, and 0 as a [[relative]] number.`);
  } else if (completes) {
    sentences.push(...sayHandshakeAck(packet));
  }
  if (packet.len > 0) sentences.push(...sayData(packet));
  if (packet.has.FIN) sentences.push(...sayFin(packet));
  if (packet.has.ACK && !packet.has.SYN && !completes && !packet.has.RST && packet.flow)
    sentences.push(...sayAcked(packet));
  return sentences;
}

function sayMarks(packet) {
  const sentences = [];
  for (const name of markNames(packet.marks)) {
    if (name === "duplicate ACK") {
      const of = trace.packetByNumber.get(packet.dupOf);
      sentences.push(say`Marked [[duplicate ACK]] number ${packet.dup} of ${of ? [linkToPacket(of)] : `packet ${packet.dupOf}`}.`);
    } else {
      sentences.push([`Marked `, { term: name }, "."]);
    }
  }
  if (packet.resent) sentences.push(say`It was not acknowledged in time, and sent again as ${linkToPacket(packet.resent)}: lost, or its ACK was.`);
  return sentences;
}

function sayStates(packet) {
  if (!packet.states) return [];
  const changes = [];
  for (const end of [0, 1]) {
    const before = stateName(packet.states[end]);
    const after = stateName(packet.states[end + 2]);
    if (before !== after)
      changes.push([`${endName(packet.flow, end)}: `, { term: before }, " → ", { term: after }]);
  }
  return changes;
}

function sayCause(packet) {
  if (packet.cause)
    return say`Caused by ${roleName(packet.cause.role)}’s ${linkToCall(packet.cause)}.`;
  if (trace.calls.size > 0) return say`No call was running: it is the [[kernel’s own]].`;
  return [];
}

// All that is said of a packet: a list of sentences.
function sentencesOfPacket(packet) {
  const sentences = [];
  if (packet.flags) sentences.push(...sayTcp(packet));
  else if (packet.protocol === "UDP") sentences.push(say`${senderName(packet)} sends a [[datagram]] of ${plural(packet.len, "byte")}.`);
  else sentences.push(say`${packet.protocol}${packet.icmp ? ": " + packet.icmp : ""}, from ${packet.src || "somebody"} to ${packet.dst || "somebody"}.`);
  sentences.push(...sayMarks(packet));
  if (packet.fault) sentences.push(say`Its headers are ${packet.fault}.`);
  if (packet.comment) sentences.push(say`Comment: ${packet.comment}`);
  return sentences;
}

const ABOUT_CALLS = {
  socket: "It makes a socket; nothing goes over the wire.",
  setoption: "It changes a setting of the socket; nothing goes over the wire.",
  bind: "It gives the socket its address and port; nothing goes over the wire.",
  listen: "From now on the kernel answers SYNs to this port by itself.",
  accept: "It takes the next connection that the kernel has completed; the handshake is the kernel’s work.",
  recv: "It takes bytes that have already arrived out of the kernel’s buffer, or waits for some.",
};

function sentencesOfCall(call, returns) {
  const who = roleName(call.role);
  const sentences = [];
  if (returns) sentences.push(say`${who}’s ${linkToCall(call)} returns${returnText(call) ? ": " + returnText(call) : ""}, ${duration(call.end - call.t)} after it was entered.`);
  else sentences.push(say`${who} calls ${callText(call)}${call.line ? ` in line ${call.line}` : " (the host does it, before the script begins)"}.`);
  if (!returns && call.end !== null)
    sentences.push(say`It returns${returnText(call) ? " " + returnText(call) : ""} after ${duration(call.end - call.t)}.`);
  if (call.message) sentences.push(say`${call.message}`);
  if (call.packets.length > 0) {
    const few = call.packets.slice(0, 8);
    sentences.push(say`It caused ${few.flatMap((packet, i) => [i ? ", " : "", linkToPacket(packet)])}${call.packets.length > 8 ? ` and ${call.packets.length - 8} more` : ""}.`);
  } else if (Object.hasOwn(ABOUT_CALLS, call.name)) {
    sentences.push(say`${ABOUT_CALLS[call.name]}`);
  }
  if (call.kernel)
    sentences.push(say`Afterwards the kernel itself says ${{ term: call.kernel.state }}${call.kernel.rtt_us ? `, round trip ${duration(call.kernel.rtt_us * 1000)}, congestion window ${plural(call.kernel.congestion_window, "segment")}` : ""}.`);
  return sentences;
}

// One line for the player, and for whoever hears it.
function headline(step) {
  if (step.kind === "packet") {
    const packet = step.packet;
    const states = sayStates(packet);
    const first = sentencesOfPacket(packet)[0] || [];
    return [`Packet ${packet.n}: `, ...first, ...(states.length ? [" ", ...states.flatMap((change, i) => [i ? ", " : "", ...change]), "."] : [])];
  }
  if (step.kind === "note") return noteText(step);
  return sentencesOfCall(step.call, step.kind === "return").slice(0, 2).flatMap((s, i) => [i ? " " : "", ...s]);
}

function noteText(step) {
  const verbs = { print: "prints", error: "fails", host: "", user: "user:", input: "reads" };
  const who = step.role ? roleName(step.role) : "host";
  return [`${who} ${verbs[step.note.kind] || ""} ${step.note.text}`];
}

// A row's text for a screen reader.
function spoken(step) {
  if (step.kind === "packet") {
    const packet = step.packet;
    const to = packet.flow ? endName(packet.flow, 1 - packet.from) : packet.dst;
    const states = sayStates(packet).map(plainText).join(", ");
    const marks = markNames(packet.marks).join(", ");
    return `Packet ${packet.n}, ${senderName(packet)} to ${to}: ${packetText(packet)}` +
      (marks ? `. ${marks}` : "") + (states ? `. ${states}` : "") +
      (packet.cause ? "" : trace.calls.size ? ". kernel’s own" : "");
  }
  if (step.kind === "note") return plainText(noteText(step));
  return plainText(sentencesOfCall(step.call, step.kind === "return")[0]);
}

// "SYN  seq 0  win 65495"
function packetText(packet) {
  if (packet.flags && packet.flow) {
    const parts = [packet.flags, `seq ${packet.seq}`];
    if (packet.has.ACK) parts.push(`ack ${packet.ack}`);
    if (packet.has.SYN) parts.push(`win ${packet.win}`);
    if (packet.len > 0) parts.push(`len ${packet.len}`);
    return parts.join("  ");
  }
  if (packet.flags) return `${packet.protocol} ${packet.flags}`;
  return [packet.protocol, packet.icmp, packet.len ? `len ${packet.len}` : ""].filter(Boolean).join("  ");
}
