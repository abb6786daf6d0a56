// Plots of one flow: time and sequence numbers (W. R. Stevens' graph), bytes in flight, round trips.
// All share one time axis, which zooms. They are drawn on canvas: ten thousand packets are points.

const PLOT_LEFT = 58; // where the axis stands
const PLOT_LEAST = 4; // data packets of a direction, so that there is something to see
const graph = { flow: null, from: 0, to: 1, plots: [] };

function shadeOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function axisText(value) {
  if (value >= 1e6) return (value / 1e6).toPrecision(3) + "M";
  if (value >= 1e4) return (value / 1e3).toPrecision(3) + "k";
  return String(Math.round(value));
}

// Points {t, y, y2, packet, kind} by what they are.
function sequencePoints(flow, end) {
  const points = [];
  const again = MARK["retransmission"] | MARK["fast retransmission"] | MARK["spurious retransmission"];
  for (const packet of flow.packets) {
    if (packet.from === end) {
      if (packet.len > 0 || packet.has.SYN || packet.has.FIN)
        points.push({ t: packet.t, y: packet.seq, y2: packet.seq + Math.max(packet.len, 1), packet, kind: packet.marks & again ? "again" : "data" });
      continue;
    }
    if (!packet.has.ACK) continue;
    points.push({ t: packet.t, y: packet.ack, packet, kind: "ack" });
    points.push({ t: packet.t, y: packet.ack + packet.win, packet, kind: "window" });
    for (const [left, right] of packet.sack || []) points.push({ t: packet.t, y: left, y2: right, packet, kind: "sack" });
  }
  return points;
}

// What was sent and not acknowledged, after each packet of either end.
function flightPoints(flow, end) {
  const points = [];
  let next = 0;
  let acked = 0;
  for (const packet of flow.packets) {
    if (packet.from === end) next = Math.max(next, packet.seq + packet.len + (packet.has.SYN ? 1 : 0) + (packet.has.FIN ? 1 : 0));
    else if (packet.has.ACK) acked = Math.max(acked, packet.ack);
    points.push({ t: packet.t, y: Math.max(0, next - acked), packet, kind: "flight" });
  }
  return points;
}

const tripPoints = (flow, end) =>
  flow.packets.filter((packet) => packet.from !== end && packet.rtt).map((packet) => ({ t: packet.t, y: packet.rtt, packet, kind: "rtt" }));

function makePlot(title, term, points, text, height, ignored) {
  const canvas = el("canvas", { class: "plot", tabindex: "0", role: "img" });
  const plot = { title, points, text, canvas, height, ignored, x: () => 0, y: () => 0 };
  canvas.setAttribute("aria-label", `${title}: ${plural(points.length, "point")}. Plus and minus zoom, 0 shows all; a click selects the packet.`);
  plot.node = el("figure", {}, el("figcaption", {}, title + " ", term ? termNode(term, "?") : ""), canvas);
  canvas.style.height = height + "px";
  listenToPlot(plot);
  return plot;
}

function plotFrame(plot) {
  const scale = devicePixelRatio || 1;
  const width = plot.width = Math.max(200, plot.canvas.clientWidth);
  plot.canvas.width = width * scale;
  plot.canvas.height = plot.height * scale;
  const context = plot.canvas.getContext("2d");
  context.scale(scale, scale);
  const seen = plot.points.filter((point) => point.t >= graph.from && point.t <= graph.to);
  let top = 0;
  let bottom = plot.ignored ? Infinity : 0;
  for (const point of seen) {
    if (plot.ignored && plot.ignored.has(point.kind)) continue;
    top = Math.max(top, point.y2 || point.y);
    bottom = Math.min(bottom, point.y);
  }
  // The window's edge is shown where it is not so far away that the rest would be flat.
  const edge = Math.max(0, ...(plot.ignored ? seen.filter((point) => plot.ignored.has(point.kind)).slice(0, 50000) : []).map((point) => point.y));
  if (edge > top && edge - bottom <= 3 * (top - bottom)) top = edge;
  if (!(top > bottom)) { bottom = 0; top = Math.max(1, top); }
  const room = (top - bottom) * 0.06;
  const left = PLOT_LEFT;
  plot.x = (t) => left + (t - graph.from) / Math.max(1, graph.to - graph.from) * (width - left - 12);
  plot.time = (x) => graph.from + (x - left) / (width - left - 12) * (graph.to - graph.from);
  plot.y = (value) => plot.height - 22 - (value - bottom) / (top - bottom + room) * (plot.height - 34);
  return { context, width, seen, top, bottom, left };
}

function drawPlot(plot) {
  const { context, width, seen, top, bottom, left } = plotFrame(plot);
  const ink = { data: shadeOf("--who0"), again: shadeOf("--alarm"), ack: shadeOf("--open"), window: shadeOf("--muted"),
                sack: shadeOf("--closing"), flight: shadeOf("--who0"), rtt: shadeOf("--who1") };
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = context.strokeStyle = shadeOf("--muted");
  context.lineWidth = 1;
  for (let i = 0; i <= 4; i++) {
    const value = bottom + (top - bottom) * i / 4;
    const y = Math.round(plot.y(value)) + 0.5;
    context.globalAlpha = 0.18;
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(width - 8, y);
    context.stroke();
    context.globalAlpha = 1;
    context.textAlign = "right";
    context.fillText(plot.text(value), left - 6, y + 4);
    context.textAlign = i === 0 ? "left" : i === 4 ? "right" : "center";
    const t = graph.from + (graph.to - graph.from) * i / 4;
    context.fillText(duration(t - graph.flow.packets[0].t), plot.x(t), plot.height - 6);
  }
  context.save();
  context.beginPath();
  context.rect(left, 0, width - left, plot.height - 20);
  context.clip();
  for (const kind of ["window", "ack", "flight"]) drawSteps(plot, context, kind, ink[kind]);
  for (const point of seen) {
    const x = plot.x(point.t);
    context.fillStyle = context.strokeStyle = ink[point.kind];
    if (point.kind === "data" || point.kind === "again" || point.kind === "sack") {
      const y1 = plot.y(point.y2);
      const y2 = plot.y(point.y);
      context.fillRect(x - 1, y1, point.kind === "again" ? 3 : 2, Math.max(2, y2 - y1));
      if (point.kind === "again") context.fillText("R", x + 8, y1 + 4);
    } else if (point.kind === "rtt") {
      context.beginPath();
      context.arc(x, plot.y(point.y), 2.2, 0, 7);
      context.fill();
    }
  }
  context.restore();
  plot.under = el("canvas", { width: plot.canvas.width, height: plot.canvas.height });
  plot.under.getContext("2d").drawImage(plot.canvas, 0, 0);
  drawChoice(plot);
}

// What is chosen, and what is being dragged over, above a picture of the rest, which takes longer.
function drawChoice(plot) {
  const context = plot.canvas.getContext("2d");
  context.save();
  context.resetTransform();
  context.clearRect(0, 0, plot.canvas.width, plot.canvas.height);
  context.drawImage(plot.under, 0, 0);
  context.restore();
  context.save();
  context.beginPath();
  context.rect(PLOT_LEFT, 0, plot.width - PLOT_LEFT, plot.height - 20);
  context.clip();
  const chosen = selection.packet;
  if (chosen && chosen.flow === graph.flow) {
    context.strokeStyle = shadeOf("--accent");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(plot.x(chosen.t), 0);
    context.lineTo(plot.x(chosen.t), plot.height);
    context.stroke();
  }
  if (plot.drag) {
    context.globalAlpha = 0.15;
    context.fillStyle = shadeOf("--accent");
    context.fillRect(Math.min(...plot.drag), 0, Math.abs(plot.drag[1] - plot.drag[0]), plot.height);
  }
  context.restore();
}

function drawSteps(plot, context, kind, ink) {
  const points = plot.points.filter((point) => point.kind === kind);
  if (!points.length) return;
  context.strokeStyle = ink;
  context.setLineDash(kind === "window" ? [4, 3] : []);
  context.beginPath();
  let last = null;
  for (const point of points) {
    const x = plot.x(point.t);
    const y = plot.y(point.y);
    if (last === null) context.moveTo(x, y);
    else { context.lineTo(x, last); context.lineTo(x, y); }
    last = y;
  }
  context.lineTo(plot.x(graph.to), last);
  context.stroke();
  context.setLineDash([]);
}

const drawPlots = () => graph.plots.forEach(drawPlot);

function zoom(factor, at) {
  const all = rangeOf(graph.flow);
  const center = at ?? (selection.packet && selection.packet.flow === graph.flow ? selection.packet.t : (graph.from + graph.to) / 2);
  const size = Math.max(100, (graph.to - graph.from) * factor);
  if (size >= all[1] - all[0]) [graph.from, graph.to] = all;
  else {
    graph.from = Math.max(all[0], Math.min(center - size / 2, all[1] - size));
    graph.to = graph.from + size;
  }
  drawPlots();
}

function rangeOf(flow) {
  const first = flow.packets[0].t;
  const last = flow.packets.at(-1).t;
  const room = Math.max(1000, (last - first) * 0.005);
  return [first - room, last + room];
}

function listenToPlot(plot) {
  const canvas = plot.canvas;
  canvas.addEventListener("pointerdown", (event) => {
    plot.drag = [event.offsetX, event.offsetX];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!plot.drag) return;
    plot.drag[1] = event.offsetX;
    drawChoice(plot);
  });
  canvas.addEventListener("pointerup", (event) => {
    const drag = plot.drag;
    plot.drag = null;
    if (!drag) return;
    if (Math.abs(drag[1] - drag[0]) > 6) {
      [graph.from, graph.to] = [plot.time(Math.min(...drag)), plot.time(Math.max(...drag))];
      drawPlots();
      return;
    }
    let best = null;
    let distance = Infinity;
    for (const point of plot.points) {
      const dy = plot.y(point.y) - event.offsetY;
      const inside = point.y2 && event.offsetY <= plot.y(point.y) && event.offsetY >= plot.y(point.y2);
      const from = Math.hypot(plot.x(point.t) - event.offsetX, inside ? 0 : dy);
      if (from < distance) { distance = from; best = point; }
    }
    if (best) select(best.packet.step);
  });
  canvas.addEventListener("dblclick", () => zoom(Infinity));
  canvas.addEventListener("keydown", (event) => {
    const factor = { "+": 0.5, "=": 0.5, "-": 2, "0": Infinity }[event.key];
    if (!factor) return;
    event.preventDefault();
    zoom(factor);
  });
}

// Draws the plots of the flow, where it has something to see.
function showPlots() {
  const flow = talk.flow;
  if (flow === graph.flow) { for (const plot of graph.plots) (plot.canvas.clientWidth === plot.width ? drawChoice : drawPlot)(plot); return; }
  graph.flow = flow;
  graph.plots = [];
  const body = clear(byId("plots-body"));
  const ends = flow && flow.protocol === "TCP"
    ? [0, 1].filter((end) => flow.packets.filter((packet) => packet.from === end && packet.len > 0).length >= PLOT_LEAST) : [];
  byId("plots").hidden = ends.length === 0;
  if (ends.length === 0) return;
  [graph.from, graph.to] = rangeOf(flow);
  const button = (text, label, factor) => el("button", { type: "button", text, "aria-label": label, title: label, click: () => zoom(factor) });
  body.append(el("p", { class: "plot-tools" }, button("+", "Zoom in", 0.5), button("−", "Zoom out", 2), button("all", "Show all", Infinity),
    el("span", { class: "legend" }, el("i", { class: "data" }), "segment ", el("i", { class: "again" }), "sent again ", el("i", { class: "ack" }), "ACK line ",
       el("i", { class: "edge" }), "window’s edge ", el("i", { class: "sack" }), "SACK. Drag over a time to zoom; click a point to select its packet.")));
  for (const end of ends) {
    const name = endName(flow, end);
    graph.plots.push(makePlot(`${name}’s bytes: sequence numbers over time`, "sequence number", sequencePoints(flow, end), axisText, 240, new Set(["window"])));
    const flight = flightPoints(flow, end);
    if (flight.some((point) => point.y > 0)) graph.plots.push(makePlot(`${name}’s bytes in flight`, "bytes in flight", flight, axisText, 130, null));
    const trips = tripPoints(flow, end);
    if (trips.length >= PLOT_LEAST) graph.plots.push(makePlot(`Round trips of ${name}’s segments`, "RTT", trips, duration, 130, null));
  }
  body.append(el("div", { class: "plots" }, graph.plots.map((plot) => plot.node)));
  drawPlots();
}
