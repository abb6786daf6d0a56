// Stepping and playing.

const player = { timer: 0 };

function stepBy(by) {
  if (view.steps.length === 0) return;
  const at = selection.step ? view.place.get(selection.step.index) ?? 0 : -1;
  const next = Math.max(0, Math.min(view.steps.length - 1, at + by));
  select(view.steps[next], { playing: true });
}

function stop() {
  clearTimeout(player.timer);
  player.timer = 0;
  drawPlayer();
}

function playOn() {
  const at = selection.step ? view.place.get(selection.step.index) : -1;
  if (at >= view.steps.length - 1) { stop(); return; }
  stepBy(1);
  player.timer = setTimeout(playOn, Number(byId("speed").value));
  drawPlayer();
}

function togglePlay() {
  if (player.timer) { stop(); return; }
  const at = selection.step ? view.place.get(selection.step.index) : -1;
  if (at >= view.steps.length - 1 && view.steps.length) select(view.steps[0], { playing: true });
  player.timer = setTimeout(playOn, Number(byId("speed").value));
  drawPlayer();
}

function drawPlayer() {
  const play = byId("play");
  play.classList.toggle("on", player.timer !== 0);
  play.setAttribute("aria-label", player.timer ? "Pause" : "Play");
  const at = selection.step ? view.place.get(selection.step.index) : undefined;
  byId("position").textContent = at === undefined ? "" : `step ${at + 1} of ${view.steps.length} · ${duration(selection.step.t)}`;
  byId("first").disabled = byId("back").disabled = !at;
  byId("last").disabled = byId("forward").disabled = at === undefined || at >= view.steps.length - 1;
}

function showInPlayer() {
  drawPlayer();
  const now = clear(byId("now"));
  if (selection.step) sayInto(now, headline(selection.step));
}

function startPlayer() {
  const press = { first: () => stepBy(-Infinity), back: () => stepBy(-1), play: togglePlay, forward: () => stepBy(1), last: () => stepBy(Infinity) };
  for (const [id, act] of Object.entries(press)) byId(id).addEventListener("click", () => { if (id !== "play") stop(); act(); });
  const keys = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity, ArrowDown: 1, ArrowUp: -1 };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { stopExplaining(true); return; }
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    const target = event.target;
    if (target.closest("select, input, #explain")) return;
    if (event.key === " " && target.closest(".term")) { event.preventDefault(); target.click(); return; }
    const inLadder = Boolean(target.closest("#ladder"));
    if (event.key === " " && !target.closest("button, summary, a")) { event.preventDefault(); togglePlay(); return; }
    if (event.key === "Enter" && inLadder) { select(selection.step); return; }
    const by = keys[event.key];
    if (!by) return;
    // Only in the ladder these move the selection; elsewhere they scroll.
    if (["ArrowUp", "ArrowDown", "PageUp", "PageDown"].includes(event.key) && !inLadder) return;
    if (["Home", "End"].includes(event.key) && !inLadder && target !== document.body) return;
    event.preventDefault();
    stop();
    stepBy(by);
  });
}
