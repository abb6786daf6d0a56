// What lab.check said of the trace, and which packets it spoke of.

const CHECKS_OPEN = 5; // more that all passed stay folded
const VERDICT_SIGNS = { "passed": "✓", "failed": "✗", "not judged": "–" };

// "1-3, 7" as pairs of the first and the last.
function rangesOf(check) {
  return (check.packets || "").split(",").map((piece) => piece.trim().split("-").map(Number))
    .filter(([first]) => first > 0).map(([first, last]) => [first, last || first]);
}

const concerns = (check, packet) =>
  rangesOf(check).some(([first, last]) => first <= packet.n && packet.n <= last);

// The checks that speak of the packet: a sentence each.
function sayChecks(packet) {
  return trace.checks.filter((check) => concerns(check, packet)).map((check) =>
    [`Check ${check.verdict}: ${visible(check.expectation)}.`]);
}

function packetLinks(check) {
  const link = (n) => {
    const packet = trace.packetByNumber.get(n);
    return packet ? linkTo(packet.step, String(n)) : String(n);
  };
  const ranges = rangesOf(check);
  if (ranges.length === 0) return [];
  const parts = ranges.flatMap(([first, last], i) =>
    [i ? ", " : "", link(first), ...(last > first ? ["–", link(last)] : [])]);
  return [ranges.length > 1 || ranges[0][1] > ranges[0][0] ? "packets " : "packet ", ...parts];
}

function checkNode(check) {
  const saw = check.seen && !check.expectation.includes(check.seen);
  const site = check.line ? `${visible(check.script || "")}, line ${check.line}` : "";
  const links = packetLinks(check);
  return el("li", { class: check.verdict.replace(" ", "-") },
    el("span", { class: "sign", "aria-hidden": "true", text: VERDICT_SIGNS[check.verdict] }),
    el("b", { text: check.verdict }), " ", el("span", { text: visible(check.expectation) }), " ",
    sayInto(el("span", { class: "of" }), [...links, links.length && site ? " · " : "", site]),
    saw ? el("p", { class: "seen", text: (check.verdict === "not judged" ? "because " : "saw ") + visible(check.seen) }) : null);
}

function buildChecks() {
  if (trace.checks.length === 0) return;
  const box = byId("checks");
  const passed = trace.checks.filter((check) => check.verdict === "passed").length;
  box.hidden = false;
  box.classList.toggle("all-passed", passed === trace.checks.length);
  byId("checks-title").textContent = `Checks: ${passed} of ${trace.checks.length} passed`;
  box.querySelector("details").open = passed < trace.checks.length || passed <= CHECKS_OPEN;
  box.querySelector("ul").append(...trace.checks.map(checkNode));
}
