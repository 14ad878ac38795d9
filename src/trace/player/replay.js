// The replay: what the state of everything was after each event.
//
// The page holds a list of events and nothing else. This file turns it into states: a `State`
// takes the events one by one and does with each what the executor did. It is `trace/state.rs`
// again, in another language.
//
// A state can only go forwards. To go back, one begins at an earlier state and comes forwards
// again; so that this is never far, a copy is kept every few hundred events: a keyframe.
//
//   events      0 . . . . . . . 500 . . . . . . . 1000 . . . . . .
//   keyframes   ^               ^                 ^
//   "back to 730" is: copy the keyframe at 500, take 230 events
//
// A copy must be cheap. So what is in the maps is never changed, only replaced: then a copy of a
// map shares all its contents with the original.
//
// "Index i" means, everywhere in this page: after i events. Event number i is the one that leads
// from index i to index i + 1.
//
// Next: `causes.js`.
"use strict";

// In place of the number of an event: there is none.
const NONE = -1;

// ---- Reading ----------------------------------------------------------------------------------

// What is in an event of each kind, in the order in which `html.rs` writes it.
const FIELDS = {
  spawn: ["task", "name", "place", "size", "by"],
  known: ["task", "name", "place", "size", "by", "phase", "since", "polls", "wakers"],
  poll: ["task"],
  end: ["task", "outcome", "wakers", "blocked"],
  wake: ["task", "by", "effect"],
  forgotten: ["task", "by"],
  abort: ["task", "by"],
  dropped: ["task"],
  timer: ["timer", "deadline", "place", "by"],
  arm: ["timer", "deadline", "wakes"],
  fire: ["timer"],
  due: ["timer"],
  reset: ["timer", "deadline"],
  gone: ["timer"],
  wait: ["wait", "task", "what", "place", "line"],
  join: ["wait", "task", "other"],
  over: ["wait"],
  park: ["until"],
  unpark: [],
  clock: [],
  mark: ["by", "text"],
  value: ["name", "value"],
};

// These are numbers in the table of strings.
const STRINGS = new Set(["name", "place", "what", "text"]);

function readTrace(text) {
  const { paused, dropped, origin, strings, events: written, lints } = JSON.parse(text);
  const events = [];
  let at = 0;
  for (const item of written) {
    // A bare number is the time of the events after it, in nanoseconds.
    if (typeof item === "number") at = item;
    else events.push(readEvent(at, item, strings));
  }
  return { paused, dropped, origin, events, lints: lints.map((lint) => readLint(lint, strings)) };
}

// ["poll",3] -> { kind: "poll", at: 0, task: 3 }
function readEvent(at, written, strings) {
  const event = { kind: written[0], at };
  FIELDS[event.kind].forEach((field, nth) => {
    const value = written[nth + 1];
    event[field] = STRINGS.has(field) && value !== null ? strings[value] : value;
  });
  return event;
}

function readLint([kind, sentence, task, at], strings) {
  return { kind: strings[kind], sentence: strings[sentence], task, at };
}

// ---- The state --------------------------------------------------------------------------------

class State {
  constructor() {
    this.index = 0;
    this.now = 0;
    this.queue = []; // ids, the task that is polled next first
    this.polling = null; // the id of the task that is being polled
    this.tasks = new Map(); // by id: all that are alive
    this.timers = new Map(); // by number: all that are not dropped
    this.waits = new Map(); // by number: all that go on
    this.values = new Map(); // by name: what the program said last
  }

  copy() {
    const { queue, tasks, timers, waits, values } = this;
    return Object.assign(new State(), this, {
      queue: queue.slice(), tasks: new Map(tasks), timers: new Map(timers), waits: new Map(waits),
      values: new Map(values),
    });
  }

  // Goes on to after this event.
  take(event) {
    const number = this.index++;
    this.now = event.at;
    switch (event.kind) {
      case "spawn":
        this.insert({ ...event, phase: "queued", since: event.at, polls: 0, wakers: 0,
          born: event.at });
        break;
      case "known":
        this.insert({ ...event, born: null });
        break;
      case "poll":
        this.enter(event.task, "polling", 1);
        this.polling = event.task;
        break;
      case "end":
        this.polling = null;
        this.setWakers(event.task, event.wakers);
        this.endPoll(event.task, event.outcome);
        break;
      case "wake":
        if (event.effect === "queued") this.enter(event.task, "queued");
        if (event.effect === "noted") this.enter(event.task, "woken");
        break;
      case "forgotten":
        this.setWakers(event.task, 0);
        break;
      case "dropped":
        if (this.polling === event.task) this.polling = null;
        this.remove(event.task);
        break;
      case "timer":
        this.setTimer(event, { place: event.place, by: event.by });
        break;
      case "arm": {
        // Armed already, it is another task that polls it now, and will be woken.
        const { armed } = this.timers.get(event.timer) || { armed: null };
        this.setTimer(event, { armed: armed ?? event.at, armedAt: number, wakes: event.wakes });
        break;
      }
      case "reset":
        this.setTimer(event, { armed: null, fired: false, wakes: null });
        break;
      case "fire":
      case "due":
        if (this.timers.has(event.timer)) this.setTimer(event, { armed: null, fired: true, wakes: null });
        break;
      case "gone":
        this.timers.delete(event.timer);
        break;
      case "wait":
      case "join":
        this.waits.set(event.wait, { ...event, since: event.at });
        break;
      case "over":
        this.waits.delete(event.wait);
        break;
      case "value":
        this.values.set(event.name, event.value);
        break;
      // The others change nothing that is counted here.
    }
  }

  insert(task) {
    this.remove(task.task);
    if (task.phase === "queued") this.queue.push(task.task);
    if (task.phase === "polling" || task.phase === "woken") this.polling = task.task;
    this.tasks.set(task.task, task);
  }

  setWakers(id, wakers) {
    const task = this.tasks.get(id);
    if (task) this.tasks.set(id, { ...task, wakers });
  }

  endPoll(id, outcome) {
    const task = this.tasks.get(id);
    if (outcome !== "pending") this.remove(id);
    else this.enter(id, task && task.phase === "woken" ? "queued" : "idle");
  }

  // A task is in the queue if and only if that is its phase, whatever odd records may say.
  enter(id, phase, polls = 0) {
    const task = this.tasks.get(id);
    if (!task) return;
    this.tasks.set(id, { ...task, phase, since: this.now, polls: task.polls + polls });
    if (phase === "queued" && task.phase !== "queued") this.queue.push(id);
    if (phase !== "queued" && task.phase === "queued") this.dequeue(id);
  }

  remove(id) {
    const task = this.tasks.get(id);
    this.tasks.delete(id);
    if (task && task.phase === "queued") this.dequeue(id);
  }

  // Almost always it is the first: only a task that is dropped may stand further back.
  dequeue(id) {
    const place = this.queue.indexOf(id);
    if (place === 0) this.queue.shift();
    else if (place > 0) this.queue.splice(place, 1);
  }

  setTimer({ timer, deadline }, change) {
    const known = this.timers.get(timer) ||
      { timer, place: null, by: null, armed: null, armedAt: NONE, wakes: null, fired: false };
    this.timers.set(timer, { ...known, deadline: deadline ?? known.deadline, ...change });
  }
}

// Whether a task waits, and nobody has a waker of it: it can never be woken.
function isLost({ phase, polls, wakers }) {
  return phase === "idle" && polls > 0 && wakers === 0;
}

// ---- There and back ---------------------------------------------------------------------------

class Replay {
  constructor(events, keyframes = [new State()]) {
    this.events = events;
    // At most some two hundred keyframes, however long the run.
    this.interval = Math.max(500, Math.ceil(events.length / 200));
    this.keyframes = keyframes;
    this.current = new State();
  }

  // Another one, that is elsewhere, with the same keyframes.
  another() {
    return new Replay(this.events, this.keyframes);
  }

  // The state after `index` events. It is not a copy: it is good until the next call.
  at(index) {
    const ahead = index - this.current.index;
    if (ahead < 0 || ahead > this.interval) this.current = this.nearest(index).copy();
    while (this.current.index < index) this.forward();
    return this.current;
  }

  // The last keyframe before this index, or at it.
  nearest(index) {
    const last = this.keyframes.length - 1;
    return this.keyframes[Math.min(Math.floor(index / this.interval), last)];
  }

  forward() {
    this.current.take(this.events[this.current.index]);
    if (this.current.index === this.keyframes.length * this.interval) {
      this.keyframes.push(this.current.copy());
    }
  }
}
