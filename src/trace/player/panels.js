// The panels: the run queue, the tasks, the timers on their wheel, the lines, as they are at the
// cursor.
//
// Each panel is a function of the state that makes its contents anew at every step. That is simple,
// and quick as long as no panel is long: so each shows the first few dozen of what it has, and says
// how many more there are.
//
// Next: `player.js`.

class Panels {
  constructor(player) {
    const { page, history, words } = player;
    Object.assign(this, { player, page, history, words });
    this.lanes = history.lives.lanes; // those that pass the search
  }

  // `earlier`: where the timers were before the last event.
  render(state, earlier) {
    this.showQueue(state);
    this.showTasks(state);
    this.showTimers(state, earlier);
    this.showLines(state);
    this.showSaid(state);
  }

  // ---- Parts of a sentence, and buttons. Each has a key by which it is known again.

  nodes(parts, key) {
    return parts.map((part, nth) => {
      if (part.task !== undefined) return this.task(part.task, `${key} ${nth}`);
      if (part.event !== undefined) return this.event(part.event, part.text, `${key} ${nth}`);
      return part.place !== undefined ? code(part.place) : part;
    }).map(keepTogether);
  }

  task(id, key) {
    const name = this.words.nameOf(id);
    return h("button", {
      class: "name", title: `${shortened(name, 200)} (task ${id}): follow it`,
      "data-key": key, click: () => this.player.follow(id),
    }, named(name, 40));
  }

  event(number, text, key) {
    return h("button", {
      class: "link", title: `event ${number + 1}: ${this.words.brief(number)}`,
      "data-key": key, click: () => this.player.jump(number + 1),
    }, text);
  }

  since(time) {
    return h("small", {}, ` since ${clockTime(time)}`);
  }

  // ---- The run queue.

  showQueue(state) {
    const row = (id, nth) => h("li", {}, this.task(id, `queue ${id}`),
      nth === 0 ? h("span", { class: "next" }, " is next") : null);
    show(this.page.queue,
      state.polling === null ? null : note("being polled: ", this.task(state.polling, "polled")),
      list("ol", "queue", state.queue, row, "in the queue") || note("Nobody is in the queue."));
  }

  // ---- Tasks.

  // Few tasks keep their rows, also before they are spawned and when they are over, so that nothing
  // moves. Of many, those that are alive.
  showTasks(state) {
    const shown = this.lanes.length <= MOST_ROWS ? this.lanes : this.alive(state);
    const waits = waitsByTask(state);
    const row = (lane) => this.taskRow(lane, state, waits.get(lane.id) || []);
    show(this.page.tasks,
      note(`${state.tasks.size} alive, ${countOver(this.lanes, state)} over`),
      list("ul", "rows", shown, row, "tasks: search to find one"));
  }

  // The one that something has just happened to comes first: else it might not be shown.
  alive(state) {
    const { lanes, subject } = this.history.lives;
    const alive = this.lanes.filter((lane) => state.tasks.has(lane.id));
    const current = lanes[subject[state.index - 1]];
    if (!alive.includes(current)) return alive;
    return [current, ...alive.filter((lane) => lane !== current)];
  }

  taskRow(lane, state, waits) {
    const task = state.tasks.get(lane.id);
    const [sign, word] = !task ? endOf(lane, state.index) : isLost(task) ? LOST :
      PHASES[task.phase];
    const { place } = task || lane;
    const isFollowed = this.player.followed === lane.id;
    return h("li", { class: (task ? task.phase : "gone") + (isFollowed ? " followed" : "") },
      h("span", {}, this.task(lane.id, `task ${lane.id}`), h("small", {}, ` #${lane.id}`)),
      h("span", { class: "phase" }, h("span", { "aria-hidden": "true" }, `${sign} `), word),
      h("span", { class: "details" }, task ? this.taskDetails(task, waits) : null,
        place === null ? null : ["spawned at ", code(place)]));
  }

  taskDetails({ task, since, polls, size }, waits) {
    const what = listed(waits.map((wait) => this.words.awaited(wait)));
    return [
      what.length > 0 ? ["for ", this.nodes(what, `waits ${task}`), ", "] : null,
      `since ${clockTime(since)}, ${times(polls, "poll")}, ${size} bytes, `,
    ];
  }

  // ---- Timers.

  showTimers(state, earlier) {
    const places = placesOnWheel(state);
    const cascaded = cascadedSince(earlier, places);
    const armed = [...places.keys()].map((timer) => state.timers.get(timer));
    armed.sort((a, b) => a.deadline - b.deadline || a.armedAt - b.armedAt);
    const off = state.timers.size - armed.length;
    const row = (timer) => this.timerRow(timer, places.get(timer.timer), cascaded.get(timer.timer));
    show(this.page.timers,
      drawWheel(armed, places, cascaded, state.now, this.history.highestLevel, this.words),
      list("ul", "rows", armed, row, "timers") || note("No timer is armed."),
      off > 0 ? note(`${times(off, "timer")} not on the wheel: not polled yet, or fired.`) : null);
  }

  // `from`: the level that it has come from, if it has cascaded.
  timerRow({ timer, armedAt, deadline, wakes, place }, { level, slot, due }, from) {
    const point = (on) => () => this.point(level, slot, on);
    const where = due ? "due now" : `level ${level}, slot ${slot}`;
    return h("li", {
      class: from === undefined ? "" : "cascaded", mouseenter: point(true),
      mouseleave: point(false), focusin: point(true), focusout: point(false),
    },
    h("span", {}, this.event(armedAt, `timer ${timer}`, `timer ${timer}`)),
    h("span", { class: "phase" }, clockTime(deadline)),
    h("span", { class: "details" }, where,
      from === undefined ? null : `, cascaded from level ${from}`,
      wakes === null ? null : [", wakes ", this.task(wakes, `wakes ${timer}`)],
      place === null ? null : [", made at ", code(place)]));
  }

  point(level, slot, on) {
    const mark = this.page.timers.querySelector(`[data-slot="${level}.${slot}"]`);
    if (mark) mark.classList.toggle("pointed", on);
  }

  // ---- Lines.

  showLines(state) {
    const joins = [...state.waits.values()].filter((wait) => wait.other !== undefined);
    const waiter = ({ wait, task, since }) =>
      h("li", {}, this.task(task, `wait ${wait}`), this.since(since));
    const line = (waits) => h("li", {}, waits[0].what, " ", code(waits[0].place),
      list("ol", "queue", waits, waiter, "in this line"));
    const join = ({ wait, task, other, since }) =>
      h("li", {}, this.task(task, `wait ${wait}`), " waits for the end of ",
        this.task(other, `end ${wait}`), this.since(since));
    show(this.page.lines,
      state.waits.size === 0 ? note("Nobody waits in a line.") : null,
      list("ul", "lines", linesOf(state), line, "lines"),
      list("ul", "lines", joins, join, "such waits"));
  }

  // ---- Marks and values.

  showSaid(state) {
    const { marks, tracks, events } = this.history;
    if (marks.length + tracks.size === 0) {
      return show(this.page.said,
        note("The program says nothing. It can, with trace::mark and trace::value."));
    }
    const past = countBefore(marks, (mark) => mark < state.index);
    const value = ([name, value]) => h("li", {}, named(name, 60), " = ", h("b", {}, String(value)));
    const mark = (number) => h("li", {},
      this.event(number, clockTime(events[number].at), `mark ${number}`), " ",
      named(events[number].text, 120));
    show(this.page.said,
      list("ul", "lines", [...state.values], value, "values"),
      marks.length === 0 ? null : note(`${past} of ${times(marks.length, "mark")} so far`),
      list("ul", "lines", marks.slice(Math.max(0, past - 8), past).reverse(), mark, "marks"));
  }
}

// A name and the comma or colon behind it are not torn apart at the end of a line.
function keepTogether(node, nth, nodes) {
  const mark = (text) => /^[.,:]?/.exec(typeof text === "string" ? text : "")[0];
  if (typeof node === "string") return nth === 0 ? node : node.slice(mark(node).length);
  return h("span", { class: "together" }, node, mark(nodes[nth + 1]));
}

const PHASES = {
  queued: ["▬", "in the run queue"],
  polling: ["█", "being polled"],
  woken: ["█", "being polled, and woken"],
  idle: ["─", "waits"],
};

const LOST = ["╌", "is lost: nobody has its waker"];

const ENDS = {
  ready: ["✓", "ready"],
  panicked: ["✕", "panicked"],
  aborted: ["▯", "aborted"],
  dropped: ["▯", "dropped"],
};

// How it is with a task that is not alive.
function endOf(lane, index) {
  const life = lane.lives.findLast(({ to }) => to !== null && to <= index);
  return life ? ENDS[life.how] || ["·", "over"] : ["·", "not spawned yet"];
}

function countOver(lanes, state) {
  const isOver = ({ id, lives }) =>
    lives.length > 0 && lives[0].from < state.index && !state.tasks.has(id);
  return lanes.filter(isOver).length;
}

// By task: all that it waits for, found in one walk for all rows.
function waitsByTask(state) {
  const all = new Map();
  const add = (task, wait) => {
    if (all.has(task)) all.get(task).push(wait);
    else all.set(task, [wait]);
  };
  for (const wait of state.waits.values()) add(wait.task, wait);
  for (const timer of state.timers.values()) {
    if (timer.armed !== null && timer.wakes !== null) add(timer.wakes, timer);
  }
  return all;
}

// Who stands in each line, in order.
function linesOf(state) {
  const lines = new Map();
  for (const wait of state.waits.values()) {
    if (wait.other !== undefined) continue;
    if (lines.has(wait.line)) lines.get(wait.line).push(wait);
    else lines.set(wait.line, [wait]);
  }
  return [...lines.values()];
}
