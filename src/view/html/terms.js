// What the words mean. A term explains itself where it stands dotted, and in the list at the end.

const TERMS = {
  "three-way handshake": ["How a TCP connection begins: SYN, SYN ACK, ACK. Both ends tell each other where their sequence numbers start, and learn that the other one is really there.", "RFC 9293 section 3.5"],
  "SYN": ["“Synchronize”: the flag of the first segment each end sends. It carries that end’s initial sequence number and its options, and takes up one sequence number itself.", "RFC 9293 section 3.5"],
  "SYN ACK": ["The answer to a SYN: it acknowledges the client’s SYN and is the server’s own SYN, both in one segment.", "RFC 9293 section 3.5"],
  "ACK": ["“Acknowledgment”: the segment’s acknowledgment number is the next byte its sender expects; everything before it has arrived. Every segment but the first SYN carries it.", "RFC 9293 section 3.4"],
  "PSH": ["“Push”: the sender has no more to send just now, so the receiver shall hand the data to the program without waiting for more.", "RFC 9293 section 3.9.1"],
  "FIN": ["“Finish”: its sender will send no more data. It can still receive. A FIN takes up one sequence number, so that it can be acknowledged.", "RFC 9293 section 3.6"],
  "RST": ["“Reset”: the connection ends at once and what is under way is lost. It is also the answer to a SYN for a port where nobody listens.", "RFC 9293 section 3.5.2"],
  "URG": ["“Urgent”: the urgent pointer counts. Hardly anybody uses it any more, and nobody should.", "RFC 6093"],
  "ECE": ["“ECN echo”: tells the sender that a router marked a packet instead of dropping it. In a SYN: this end can do that.", "RFC 3168 section 6.1"],
  "CWR": ["“Congestion window reduced”: the sender has heard of the congestion and slowed down.", "RFC 3168 section 6.1"],
  "sequence number": ["The number of the segment’s first byte in its direction’s stream. It counts bytes, not packets, modulo 2³².", "RFC 9293 section 3.4"],
  "acknowledgment number": ["The sequence number its sender expects next: it has everything before it.", "RFC 9293 section 3.4"],
  "initial sequence number": ["Where an end’s sequence numbers start. It is chosen so that nobody can guess it, and so that old packets do not fit into a new connection.", "RFC 9293 section 3.4.1, RFC 6528"],
  "relative": ["Counted from the initial sequence number, which is then 0: easier to read than the numbers on the wire.", "RFC 9293 section 3.4"],
  "window": ["How many bytes the sender of this segment has room for, from its acknowledgment number on. The other end may not send more than that.", "RFC 9293 section 3.8.6"],
  "window scale": ["An option of the SYN: windows are to be multiplied by 2 to this power, for the field has 16 bits only. Windows in a SYN are never scaled.", "RFC 7323 section 2"],
  "mss": ["Maximum segment size: the most data its sender is ready to receive in one segment. It stands in the SYN.", "RFC 9293 section 3.7.1, RFC 6691"],
  "SACK": ["Selective acknowledgment: the receiver says which blocks it has beyond a gap, so that only what is missing is sent again.", "RFC 2018"],
  "timestamps": ["An option: the sender’s clock, and the other end’s clock sent back. It measures the round trip and tells old segments from new ones.", "RFC 7323 section 3"],
  "retransmission": ["A segment sent again, since it was not acknowledged in time: the first one was lost, or its ACK was.", "RFC 6298 section 5"],
  "fast retransmission": ["A segment sent again after three duplicate ACKs, before the timer ran out: they show that later segments do arrive.", "RFC 5681 section 3.2"],
  "spurious retransmission": ["A segment sent again although it had already been acknowledged: the ACK came too late, or was lost.", "RFC 5682 section 1"],
  "out-of-order": ["A segment with lower sequence numbers than one that came before it: the packets overtook each other.", "RFC 9293 section 3.10.7.4"],
  "duplicate ACK": ["The same acknowledgment number again, with no data: the receiver got a segment that it did not expect yet, so one before it is missing.", "RFC 5681 section 2"],
  "previous segment not captured": ["There is a gap in the sequence numbers: a segment before this one was lost, or the capture missed it.", "RFC 9293 section 3.4"],
  "ACKed unseen segment": ["An ACK for bytes that the capture does not have: it missed the packet, but the receiver got it.", "RFC 9293 section 3.4"],
  "zero window": ["The receiver’s buffer is full: the program does not read fast enough. The sender has to wait.", "RFC 9293 section 3.8.6.1"],
  "window update": ["Says only that the window has grown: the program has read, there is room again.", "RFC 9293 section 3.8.6"],
  "window full": ["The sender has used up the whole window: it may send no more until an ACK comes.", "RFC 9293 section 3.8.6"],
  "zero window probe": ["One byte sent against a closed window, to hear whether it is still closed.", "RFC 9293 section 3.8.6.1"],
  "zero window probe ACK": ["The answer to a probe: the window is still closed, or open again.", "RFC 9293 section 3.8.6.1"],
  "keep-alive": ["A segment whose sequence number is one too low: it forces an ACK, and so shows whether the other end is still alive.", "RFC 9293 section 3.8.4"],
  "keep-alive ACK": ["The answer to a keep-alive: the other end is still there.", "RFC 9293 section 3.8.4"],
  "port reused": ["A new connection with the same addresses and ports as an earlier one.", "RFC 9293 section 3.4.1, RFC 6191"],
  "delayed ACK": ["The receiver waits a little, at most half a second, before it acknowledges: perhaps it can send the ACK together with data.", "RFC 9293 section 3.8.6.3"],
  "bytes in flight": ["Sent and not yet acknowledged: they may be under way, or lost.", "RFC 5681 section 2"],
  "RTT": ["Round trip time: from sending a segment to receiving its ACK.", "RFC 6298 section 2"],
  "LISTEN": ["The socket waits for a connection from anybody.", "RFC 9293 section 3.3.2"],
  "SYN-SENT": ["This end has sent its SYN and waits for the answer.", "RFC 9293 section 3.3.2"],
  "SYN-RECEIVED": ["This end got a SYN, answered with its own, and waits for the ACK of it.", "RFC 9293 section 3.3.2"],
  "ESTABLISHED": ["The connection is open: data can go both ways.", "RFC 9293 section 3.3.2"],
  "FIN-WAIT-1": ["This end has sent its FIN, and waits for its ACK or for the other end’s FIN.", "RFC 9293 section 3.3.2"],
  "FIN-WAIT-2": ["This end’s FIN is acknowledged; the other end has not closed yet and may still send.", "RFC 9293 section 3.3.2"],
  "CLOSE-WAIT": ["The other end has closed. TCP waits for this end’s program to close too; a program that forgets it stays here for ever.", "RFC 9293 section 3.3.2"],
  "CLOSING": ["Both ends have sent a FIN at about the same time; this one waits for the ACK of its own.", "RFC 9293 section 3.3.2"],
  "LAST-ACK": ["The other end closed first, now this one has: it waits for the ACK of its FIN.", "RFC 9293 section 3.3.2"],
  "TIME-WAIT": ["The end that closed first waits a while (Linux: one minute) after the last ACK: the other end might not have got it and send its FIN again, and old packets must die out.", "RFC 9293 section 3.6.1"],
  "CLOSED": ["There is no connection: not yet, or not any more.", "RFC 9293 section 3.3.2"],
  "port": ["The number that tells the sockets of one machine apart.", "RFC 9293 section 3.1"],
  "checksum": ["A sum over addresses, header and data, to notice damage. On a loopback the kernel leaves it to a device that does not exist, so it is only begun.", "RFC 9293 section 3.1"],
  "flow": ["One TCP connection, or one UDP conversation, with both its directions.", "RFC 9293 section 3.3.1"],
  "datagram": ["UDP’s message: it arrives whole or not at all, and nobody tells.", "RFC 768"],
  "kernel’s own": ["A packet that appeared while no socket call was running: the kernel’s timers sent it, or it answers something that came from outside.", "RFC 9293 section 3.8"],
};

// A term is looked up as it stands, in TCP's spelling of flags and in the plural.
function termOf(word) {
  if (Object.hasOwn(TERMS, word)) return word;
  const other = { "FIN ACK": "FIN", "PSH ACK": "PSH", "RST ACK": "RST", "handshake": "three-way handshake",
                  "ISN": "initial sequence number", "sack": "SACK" }[word];
  return other || null;
}

// A word that explains itself; plain text where it is none of ours.
function termNode(word, label = word) {
  const term = termOf(word);
  if (!term) return document.createTextNode(label);
  const show = (event) => {
    event.preventDefault();
    explain(term, event.currentTarget);
  };
  return el("a", { class: "term", role: "button", href: "#terms", "aria-haspopup": "dialog",
                   "data-term": term, text: label, click: show });
}

let explainedFrom = null;

function explain(term, from) {
  const box = byId("explain");
  const [text, rfc] = TERMS[term];
  byId("explain-term").textContent = term;
  byId("explain-text").textContent = text;
  byId("explain-rfc").textContent = rfc;
  explainedFrom = from;
  box.hidden = false;
  const at = from.getBoundingClientRect();
  const width = Math.min(340, window.innerWidth - 24);
  box.style.width = width + "px";
  box.style.left = Math.max(12, Math.min(at.left, window.innerWidth - width - 12)) + "px";
  const below = at.bottom + 8 + box.offsetHeight < window.innerHeight;
  box.style.top = Math.max(8, below ? at.bottom + 8 : at.top - box.offsetHeight - 8) + "px";
  box.focus({ preventScroll: true });
}

function stopExplaining(giveBack) {
  const box = byId("explain");
  if (box.hidden) return false;
  box.hidden = true;
  if (giveBack && explainedFrom && explainedFrom.isConnected) explainedFrom.focus();
  explainedFrom = null;
  return true;
}

function buildTerms() {
  const list = byId("terms");
  for (const [term, [text, rfc]] of Object.entries(TERMS)) {
    list.append(el("dt", { text: term }),
                el("dd", {}, text + " ", el("span", { class: "rfc", text: rfc })));
  }
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("#explain, .term")) stopExplaining(false);
  });
  document.addEventListener("scroll", () => stopExplaining(false), { capture: true, passive: true });
}
