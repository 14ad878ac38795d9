// The controls: buttons, keys, the drawing under a mouse or a finger. And the beginning of it all.
//
// Whatever can be done stands in one list, with its keys and its words. Buttons, keys and the help
// are made of it.

const COMMANDS = [
  // The button's id, the keys, what it does in words, and in deed.
  ["first", ["Home"], "to the beginning", (player) => player.goTo(0)],
  ["back-turn", ["PageUp"], "back a turn", (player) => player.back("turn")],
  ["back-poll", ["ArrowUp", "p"], "back a poll", (player) => player.back("poll")],
  ["back", ["ArrowLeft"], "back an event", (player) => player.back("event")],
  ["play", [" "], "play, pause", (player) => player.playOrPause()],
  ["step", ["ArrowRight"], "to the next event", (player) => player.forward("event")],
  ["step-poll", ["ArrowDown", "n"], "to the next poll", (player) => player.forward("poll")],
  ["step-turn", ["PageDown"], "to the next turn", (player) => player.forward("turn")],
  ["last", ["End"], "to the end", (player) => player.goTo(player.count)],
  ["cause", ["c"], "to the cause of what happened", (player) => player.goToCause()],
  ["come-back", ["b"], "return to where you followed a link", (player) => player.comeBack()],
  [null, ["f"], "follow this task: steps stay on it; follow all",
    (player) => player.followCurrent()],
  [null, ["/"], "find tasks by name, number or place", (player) => player.page.search.focus()],
  ["axis", ["t"], "by time, by order", switchAxis],
  ["zoom-out", ["-"], "zoom out", (player) => zoom(player, 1 / 1.5)],
  ["zoom-in", ["+", "="], "zoom in", (player) => zoom(player, 1.5)],
  ["zoom-all", ["0"], "all of it", fitAll],
  ["theme", ["d"], "light, dark", switchTheme],
  ["help", ["?"], "help: all keys", openHelp],
];

const KEY_NAMES = {
  ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", " ": "space", "=": "",
};

function connectCommands(player) {
  for (const [id, keys, words, act] of COMMANDS) {
    const names = keys.map((key) => KEY_NAMES[key] ?? key).filter((name) => name !== "");
    player.page["help-keys"].append(h("tr", {},
      h("th", { scope: "row" }, names.map((name) => [h("kbd", {}, name), " "])),
      h("td", {}, words)));
    if (id === null) continue;
    const button = player.page[id];
    button.setAttribute("aria-label", words);
    button.title = `${words} (${names.join(" or ")})`;
    button.addEventListener("click", () => act(player));
  }
  player.page["close-help"].addEventListener("click", () => player.page["help-dialog"].close());
  player.page.slider.addEventListener("input", () => player.goTo(Number(player.page.slider.value)));
  player.page.search.addEventListener("input", () => player.search());
}

function connectKeys(player) {
  const actions = new Map(COMMANDS.flatMap(([, keys, , act]) => keys.map((key) => [key, act])));
  document.addEventListener("keydown", (event) => {
    const isShortcut = event.ctrlKey || event.metaKey || event.altKey;
    if (isShortcut || player.page["help-dialog"].open) return;
    if (event.key === "Escape") return leave(player, event.target);
    if (!actions.has(event.key) || belongsTo(event.target, event.key)) return;
    event.preventDefault();
    actions.get(event.key)(player);
  });
}

// Whether the element does something of its own with that key.
function belongsTo(element, key) {
  if (element.matches("input[type=search]")) return true;
  if (element.matches("select")) return key.length === 1 || key.startsWith("Arrow");
  if (element.matches("button")) return key === " ";
  // A panel that has the focus is scrolled.
  return element.matches(".scrolls") && key.length > 1 && !/Left|Right/.test(key);
}

function leave(player, element) {
  if (element === player.page.search) {
    element.value = "";
    player.search();
    element.blur();
  } else if (player.followed !== null) {
    player.follow(player.followed);
  }
}

function openHelp(player) {
  player.pause();
  player.page["help-dialog"].showModal();
}

// ---- The drawing ------------------------------------------------------------------------------

function zoom(player, factor, x) {
  player.lanes.zoom(factor, x);
  player.lanes.draw();
}

function fitAll(player) {
  player.lanes.fitAll();
  player.lanes.draw();
}

function switchAxis(player) {
  player.lanes.switchAxis();
  player.page.axis.setAttribute("aria-pressed", String(player.lanes.byTime));
  player.lanes.draw();
}

// Dragged by a mouse or a finger it moves, between two fingers it zooms. Up and down a finger
// scrolls as everywhere (`touch-action` in the style sheet).
function connectCanvas(player) {
  const { lanes } = player;
  const { canvas, scroller } = lanes;
  const touches = new Map(); // by pointer: where it is
  let moved = 0;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const begin = (event) => {
    if (touches.size === 0) moved = 0;
    touches.set(event.pointerId, at(event));
    canvas.setPointerCapture(event.pointerId);
  };
  const move = (event) => {
    const [last, now] = [touches.get(event.pointerId), at(event)];
    canvas.title = hint(player, now);
    if (!last) return;
    touches.set(event.pointerId, now);
    moved += Math.abs(now.x - last.x) + Math.abs(now.y - last.y);
    const other = [...touches].find(([id]) => id !== event.pointerId)?.[1];
    if (other) return pinch(player, last.x, now.x, other.x);
    if (moved <= 4) return;
    lanes.pan(last.x - now.x);
    if (event.pointerType === "mouse") scroller.scrollTop += last.y - now.y;
    lanes.draw();
  };
  const end = (event) => {
    const isClick = touches.delete(event.pointerId) && event.type === "pointerup" && moved <= 4;
    if (isClick) click(player, at(event));
  };
  canvas.addEventListener("pointerdown", begin);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  const turn = (event) => turnWheel(player, event, at(event).x);
  canvas.addEventListener("wheel", turn, { passive: false });
  scroller.addEventListener("scroll", () => lanes.draw());
}

function pinch(player, last, now, other) {
  const gap = (x) => Math.max(10, Math.abs(x - other));
  zoom(player, gap(now) / gap(last), (now + other) / 2);
}

// On a name: follow that task. Anywhere else: go there.
function click(player, { x, y }) {
  const { lanes } = player;
  const row = lanes.rowAt(y);
  if (x >= lanes.gutter) player.goTo(lanes.eventAt(x) + 1);
  else if (row && row.kind === "lane") player.follow(row.lane.id);
}

function hint({ lanes, words, count }, { x, y }) {
  const number = lanes.eventAt(x);
  const row = lanes.rowAt(y);
  if (x >= lanes.gutter) return count === 0 ? "" : `event ${number + 1}: ${words.brief(number)}`;
  return row && row.kind === "lane" ? `follow ${shortened(words.nameOf(row.lane.id), 200)}` : "";
}

// Sideways (or with shift) it moves the drawing, with ctrl it zooms, and else it scrolls.
function turnWheel(player, event, x) {
  const { deltaX, deltaY, ctrlKey, shiftKey } = event;
  const sideways = shiftKey ? deltaX || deltaY : Math.abs(deltaX) > Math.abs(deltaY) ? deltaX : 0;
  if (!ctrlKey && sideways === 0) return;
  event.preventDefault();
  if (ctrlKey) return zoom(player, Math.exp(-deltaY / 200), x);
  player.lanes.pan(sideways);
  player.lanes.draw();
}

// ---- Light and dark, screen and paper ---------------------------------------------------------

function switchTheme(player) {
  const { dataset } = document.documentElement;
  const isDark = dataset.theme ? dataset.theme === "dark" : WANTS_DARK.matches;
  dataset.theme = isDark ? "light" : "dark";
  redrawInNewColours(player);
}

const WANTS_DARK = matchMedia("(prefers-color-scheme: dark)");

function redrawInNewColours(player) {
  player.lanes.readColours();
  player.lanes.draw();
}

function connectWindow(player) {
  const print = (scheme) => () => {
    document.documentElement.style.colorScheme = scheme;
    redrawInNewColours(player);
  };
  const resize = () => {
    player.lanes.resize();
    player.lanes.reveal();
    player.lanes.draw();
  };
  new ResizeObserver(resize).observe(player.page.scroller);
  WANTS_DARK.addEventListener("change", () => redrawInNewColours(player));
  window.addEventListener("hashchange", () => player.goTo(indexInAddress()));
  window.addEventListener("beforeprint", print("light"));
  window.addEventListener("afterprint", print(""));
}

function indexInAddress() {
  const found = /[#&]e=(\d+)/.exec(location.hash);
  return found ? Number(found[1]) : 0;
}

// ---- What is said once ------------------------------------------------------------------------

function showSummary({ trace, history, page, panels, count }) {
  const { lanes } = history.lives;
  page.summary.textContent = `${times(lanes.length, "task")}, ${times(count, "event")}, ` +
    clockTime(history.times[count]);
  const were = trace.dropped === 1 ? "was" : "were";
  show(page.notes,
    trace.paused ? note("The clock is paused: it stands still while anything can run, and then ",
      "jumps to the next deadline. So many events happen at the same time, and times are exact.") :
      null,
    trace.dropped === 0 ? null : note(`${times(trace.dropped, "earlier event")} ${were} dropped. `,
      "What was alive then is told first."));
  const row = (lint, nth) => h("li", {},
    panels.event(whenSeen(lint, trace.events, history), clockTime(lint.at), `lint ${nth}`), " ",
    named(lint.sentence, 1000), " ", code(`docs/lints.md#${lint.kind}`));
  page.lints.hidden = trace.lints.length === 0;
  show(page["lint-list"], trace.lints.map(row));
  page["wheel-note"].hidden = trace.paused;
  document.body.classList.toggle("nothing", count === 0);
}

// The event at that time, of that task if there is one.
function whenSeen({ task, at }, events, { lives, times }) {
  const own = lives.laneOf.get(task)?.events.find((number) => events[number].at === at);
  return own ?? Math.max(0, countBefore(times, (time) => time < at) - 1);
}

// ---- All of it --------------------------------------------------------------------------------

function begin() {
  const player = new Player(readTrace(document.getElementById("trace").textContent));
  window.player = player;
  window.addEventListener("error", (event) => player.errors.push(event.message));
  connectCommands(player);
  connectKeys(player);
  connectCanvas(player);
  connectWindow(player);
  showSummary(player);
  player.page.slider.max = String(player.count);
  player.page.scroller.style.height = `min(${player.lanes.contentHeight + 2}px, 44vh)`;
  player.lanes.resize();
  player.showPlaying();
  player.goTo(indexInAddress());
}

begin();
