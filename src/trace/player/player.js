// The player: the cursor, and what is said of where it is.
//
// There is one thing that changes, the index of the cursor: how many events have happened. Every
// key and button ends in `goTo`, which moves it, and has everything shown as it was then.
//
// Next: `controls.js`.

class Player {
  constructor(trace) {
    this.trace = trace;
    tick0 = trace.origin ?? 0;
    this.count = trace.events.length;
    this.replay = new Replay(trace.events);
    this.history = new History(trace.events, this.replay);
    this.words = new Words(trace, this.history);
    this.teller = this.replay.another();
    this.told = new Map(); // sentences, by the number of the event
    this.page = {};
    for (const element of document.querySelectorAll("[id]")) this.page[element.id] = element;
    this.panels = new Panels(this);
    this.lanes = new Lanes(this.page, this.history, this.words);
    this.index = 0;
    this.followed = null; // the id of a task
    this.trail = []; // where links were followed
    this.timer = null; // while it plays
    this.errors = [];
  }

  // ---- For tests, and for whoever likes to ask in the console.

  state() {
    const state = this.replay.at(this.index);
    const tasks = [...state.tasks.values()].sort((a, b) => a.task - b.task);
    const timers = [...state.timers.values()].sort((a, b) => a.timer - b.timer);
    return {
      index: this.index,
      time: state.now,
      queue: state.queue.slice(),
      tasks: tasks.map((task) => ({
        id: task.task, name: this.words.nameOf(task.task), phase: task.phase, polls: task.polls,
        lost: isLost(task),
      })),
      timers: timers.map(({ timer, deadline, armed }) => ({ timer, deadline, armed })),
      lines: linesOf(state).map((waits) =>
        ({ what: waits[0].what, waiting: waits.map(({ task }) => task) })),
    };
  }

  sentence() {
    return textOf(this.parts());
  }

  // The index after the event that caused the one before this index.
  causeOf(index) {
    const cause = this.history.causes.cause[index - 1] ?? NONE;
    return cause === NONE ? null : cause + 1;
  }

  // ---- The cursor.

  goTo(index) {
    this.index = Math.max(0, Math.min(this.count, Math.round(index) || 0));
    this.lanes.index = this.index;
    this.lanes.reveal();
    this.render();
    this.keepInAddress();
  }

  // Goes somewhere from where one wants to come back.
  jump(index) {
    if (index === this.index) return;
    this.trail.push(this.index);
    this.goTo(index);
  }

  goToCause() {
    const cause = this.causeOf(this.index);
    if (cause !== null) this.jump(cause);
  }

  comeBack() {
    if (this.trail.length > 0) this.goTo(this.trail.pop());
  }

  forward(unit) {
    const stops = this.stops(unit);
    if (stops === null) return this.goTo(this.index + 1);
    const next = stops[countBefore(stops, (number) => number < this.index)];
    this.goTo(next === undefined ? this.count : next + 1);
  }

  back(unit) {
    const stops = this.stops(unit);
    if (stops === null) return this.goTo(this.index - 1);
    const last = stops[countBefore(stops, (number) => number < this.index - 1) - 1];
    this.goTo(last === undefined ? 0 : last + 1);
  }

  // Where a way of stepping stops: numbers of events, in order, or null for all. When a task is
  // followed, only at its own.
  stops(unit) {
    const { polls, turns, lives } = this.history;
    const own = lives.laneOf.get(this.followed);
    switch (unit) {
      case "poll": return own ? own.polls : polls;
      case "turn": return own ? own.turns : turns.firsts;
      default: return own ? own.events : null;
    }
  }

  keepInAddress() {
    clearTimeout(this.addressTimer);
    const write = () => history.replaceState(null, "", `#e=${this.index}`);
    this.addressTimer = setTimeout(write, 150);
  }

  // ---- Playing.

  playOrPause() {
    if (this.timer !== null) return this.pause();
    if (this.index === this.count) this.goTo(0);
    this.playOn();
    this.showPlaying();
  }

  playOn() {
    this.timer = setTimeout(() => {
      this.forward("event");
      if (this.index === this.count) this.pause();
      else this.playOn();
    }, 1000 / Number(this.page.speed.value));
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this.showPlaying();
  }

  showPlaying() {
    const plays = this.timer !== null;
    this.page.play.classList.toggle("plays", plays);
    this.page.play.setAttribute("aria-label", plays ? "pause" : "play");
    // Sentences that follow each other too fast are not read aloud.
    this.page.sentence.setAttribute("aria-live", plays ? "off" : "polite");
  }

  // ---- Search and follow.

  search() {
    const { lanes } = this.history.lives;
    const wanted = this.page.search.value.trim().toLowerCase();
    const isNumber = /^#?\d+$/.test(wanted);
    const fits = ({ id, place }) => wanted.replace("#", "") === String(id) ||
      this.words.nameOf(id).toLowerCase().includes(wanted) ||
      (!isNumber && place !== null && place.toLowerCase().includes(wanted));
    this.panels.lanes = wanted === "" ? lanes : lanes.filter(fits);
    this.lanes.setRows(this.panels.lanes);
    this.page.found.textContent =
      wanted === "" ? "" : `${this.panels.lanes.length} of ${lanes.length}`;
    this.render();
  }

  // Steps stay on the events of this task; once more, and they do not.
  follow(id) {
    const isKnown = this.history.lives.laneOf.has(id);
    this.followed = this.followed === id || !isKnown ? null : id;
    this.lanes.followed = this.followed;
    this.render();
  }

  followCurrent() {
    if (this.followed !== null) return this.follow(this.followed);
    const { lanes, subject } = this.history.lives;
    const lane = lanes[subject[this.index - 1]];
    if (lane) this.follow(lane.id);
  }

  // ---- Showing.

  render() {
    const earlier = placesOnWheel(this.replay.at(Math.max(0, this.index - 1)));
    const state = this.replay.at(this.index);
    show(this.page.sentence, this.panels.nodes(this.parts(), "sentence"));
    this.showLinks();
    this.showPosition(state);
    this.showFollowed();
    this.panels.render(state, earlier);
    this.showLog();
    this.lanes.draw();
  }

  parts() {
    if (this.count === 0) return ["Nothing was recorded: this trace is empty."];
    if (this.index > 0) return this.sentenceOf(this.index - 1);
    return ["This is the beginning: nothing has happened yet. ",
      "The buttons and the arrow keys lead through what will."];
  }

  // A sentence needs the states before and after its event. It is kept for the next step.
  sentenceOf(number) {
    if (!this.told.has(number)) {
      if (this.told.size > 1000) this.told.clear();
      const before = this.teller.at(number).copy();
      this.told.set(number, this.words.sentence(number, before, this.teller.at(number + 1)));
    }
    return this.told.get(number);
  }

  // Where it came from, and what it led to.
  showLinks() {
    const cause = this.causeOf(this.index);
    const effects = this.index === 0 ? [] : this.history.causes.effectsOf(this.index - 1, 5);
    const link = (number) => this.panels.event(number, this.words.brief(number), `to ${number}`);
    const led = effects.slice(0, 4).map((number, nth) => [nth > 0 ? ", " : "", link(number)]);
    show(this.page.links,
      cause === null ? null : ["Because of: ", link(cause - 1), ". "],
      led.length === 0 ? null : ["It led to: ", led, effects.length > 4 ? " and more." : "."]);
    this.disable(cause === null, "cause");
    this.disable(this.trail.length === 0, "come-back");
  }

  showPosition(state) {
    const { page, index, count } = this;
    const { turns } = this.history;
    const turn = turns.begunAt(index);
    page.where.textContent = `event ${index} of ${count}`;
    page.time.textContent = clockTime(state.now);
    page.turn.textContent = turn === 0 ? "" : `turn ${turn} of ${turns.firsts.length}`;
    page.slider.value = String(index);
    page.slider.setAttribute("aria-valuetext", `event ${index}, ${clockTime(state.now)}`);
    this.disable(index === 0, "first", "back-turn", "back-poll", "back");
    this.disable(index === count, "step", "step-poll", "step-turn", "last");
  }

  // They keep the focus, and do nothing.
  disable(isDisabled, ...buttons) {
    for (const id of buttons) this.page[id].setAttribute("aria-disabled", String(isDisabled));
  }

  showFollowed() {
    const { followed } = this;
    this.page.followed.hidden = followed === null;
    if (followed === null) return show(this.page.followed);
    show(this.page.followed, "Steps stay on ", named(this.words.nameOf(followed), 40), " ",
      h("button", { "data-key": "all", click: () => this.follow(followed) }, "follow all"));
  }

  // The events around the cursor, a sentence for each.
  showLog() {
    const rows = [];
    const to = Math.min(this.count, this.index + 4);
    for (let number = Math.max(0, this.index - 5); number < to; number++) {
      rows.push(this.logRow(number));
    }
    show(this.page.log, h("ol", { class: "log" }, rows));
  }

  logRow(number) {
    const text = this.sentenceOf(number).map((part) =>
      (part.task === undefined ? part.text ?? part : named(part.text, 40)));
    const button = h("button", { "data-key": `log ${number}`, click: () => this.goTo(number + 1) },
      h("small", {}, `${number + 1}`), h("small", {}, clockTime(this.trace.events[number].at)),
      h("span", {}, text));
    const isCurrent = number === this.index - 1;
    return h("li", isCurrent ? { "aria-current": "step" } :
      { class: number >= this.index ? "to-come" : "" }, button);
  }
}
