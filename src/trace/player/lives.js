// The lives: what each task did, from when to when.
//
// A `Lane` for each task, in which everything stands by the number of its event and in order, so
// that the drawing finds what it shows by binary search:
//
//   spans    from …  to …  queued, polling or idle; what an idle one waits for
//   lives    from …  to …  and how that ended. (A root may come after another: it has several.)
//   timers   armed, fired, due
//   events   its own; those of them that begin a poll, and those that begin a turn
//
// Next: `history.js`.

class Lane {
  constructor(number, id) {
    Object.assign(this, { number, id, name: null, place: null });
    Object.assign(this, { spans: [], lives: [], timers: [], events: [], polls: [], turns: [] });
  }

  begin(event, number) {
    this.end(number, "replaced");
    this.name = event.name;
    this.place = event.place;
    this.lives.push({ from: number, to: null, how: null });
  }

  enter(phase, from) {
    this.leave(from);
    this.spans.push({ phase, from, to: null, outcome: null, waits: [], more: 0 });
    return this.spans.at(-1);
  }

  leave(to) {
    const last = this.spans.at(-1);
    if (last && last.to === null) last.to = to;
  }

  end(to, how) {
    this.leave(to);
    const life = this.lives.at(-1);
    if (life && life.to === null) Object.assign(life, { to, how });
  }
}

class Lives {
  constructor(events) {
    this.subject = new Int32Array(events.length).fill(NONE); // the lane of each event
    this.lanes = [];
    this.laneOf = new Map(); // by the task's id
    this.arrows = []; // { number, from, to, kind }: who woke, spawned, aborted whom
    this.waits = new Map(); // task -> what it waits for: by "wait 3" or "timer 5", the event
  }

  look(event, number, state) {
    if (["spawn", "known", "poll"].includes(event.kind)) this.lane(event.task);
    this.noteWait(event, state);
    const lane = this.laneOf.get(taskOf(event, state));
    if (!lane) return;
    this.subject[number] = lane.number;
    lane.events.push(number);
    this.live(lane, event, number, state);
  }

  lane(id) {
    if (!this.laneOf.has(id)) {
      this.laneOf.set(id, new Lane(this.lanes.length, id));
      this.lanes.push(this.laneOf.get(id));
    }
    return this.laneOf.get(id);
  }

  live(lane, event, number, state) {
    switch (event.kind) {
      case "spawn":
        lane.begin(event, number);
        lane.enter("queued", number);
        if (event.task !== 0) this.arrow(event, number, "spawn");
        break;
      case "known":
        lane.begin(event, number);
        lane.enter(event.phase === "woken" ? "polling" : event.phase, number);
        break;
      case "poll":
        lane.enter("polling", number);
        lane.polls.push(number);
        break;
      case "end":
        this.endPoll(lane, event, number + 1, state);
        break;
      case "wake":
        this.arrow(event, number, changesSomething(event) ? "wake" : "vain");
        if (event.effect === "queued") lane.enter("queued", number);
        break;
      case "abort":
        this.arrow(event, number, "abort");
        break;
      case "dropped":
        lane.end(number + 1, "dropped");
        break;
      case "arm":
      case "fire":
      case "due":
        lane.timers.push({ number, kind: event.kind });
        break;
    }
  }

  endPoll(lane, { task, outcome }, index, state) {
    const poll = lane.spans.at(-1);
    if (poll && poll.phase === "polling") poll.outcome = outcome;
    const before = state.tasks.get(task);
    if (outcome !== "pending") lane.end(index, outcome);
    else if (before && before.phase === "woken") lane.enter("queued", index);
    else this.rest(lane.enter("idle", index), this.waits.get(task));
  }

  // Of what a task waits for, the first three and how many more.
  rest(span, waits) {
    if (!waits) return;
    span.waits = firstOf(waits.values(), 3);
    span.more = waits.size - span.waits.length;
  }

  noteWait(event, state) {
    const { kind, timer, wait } = event;
    if (kind === "wait" || kind === "join") return this.addWait(event.task, `wait ${wait}`, event);
    if (kind === "over") return this.takeWait(state.waits.get(wait)?.task, `wait ${wait}`);
    if (timer === undefined) return;
    this.takeWait(state.timers.get(timer)?.wakes, `timer ${timer}`);
    if (kind === "arm") this.addWait(event.wakes, `timer ${timer}`, event);
  }

  addWait(task, key, event) {
    if (!this.waits.has(task)) this.waits.set(task, new Map());
    this.waits.get(task).set(key, event);
  }

  takeWait(task, key) {
    const waits = this.waits.get(task);
    if (waits) waits.delete(key);
  }

  arrow({ by, task }, number, kind) {
    const [from, to] = [by, task].map((id) => this.laneOf.get(id)?.number ?? NONE);
    this.arrows.push({ number, from, to, kind });
  }

  // What still goes on goes on to the end of the drawing.
  end(index) {
    for (const lane of this.lanes) lane.leave(index);
  }
}

// Whose event it is: a task's id, or null for what the executor does.
function taskOf(event, state) {
  switch (event.kind) {
    case "timer":
    case "mark":
      return typeof event.by === "number" ? event.by : null;
    case "arm":
      return event.wakes ?? ownerOf(state.timers.get(event.timer));
    case "fire":
    case "due":
    case "reset":
    case "gone":
      return ownerOf(state.timers.get(event.timer));
    case "over":
      return state.waits.get(event.wait)?.task ?? null;
    case "clock":
    case "value":
      return state.polling;
    case "park":
    case "unpark":
      return null;
    default:
      return event.task;
  }
}

function ownerOf(timer) {
  if (!timer) return null;
  return timer.wakes ?? (typeof timer.by === "number" ? timer.by : null);
}

function firstOf(iterable, atMost) {
  const first = [];
  for (const item of iterable) {
    if (first.length === atMost) break;
    first.push(item);
  }
  return first;
}

// How many of the first items, in order, are before it: `before` is true for those and no others.
function countBefore(items, before) {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(items[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
