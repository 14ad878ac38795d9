// The words: what happened, and why, in a sentence for each event.
//
// A sentence is a list of parts: plain text, the name of a task, a place in the source, or a link
// to another event. Shown in the page a name can be clicked and a link followed; joined to one
// string it is read aloud and tested.
//
//   [task(2), " is polled for the 2nd time: it was woken ", link(17, "at 0.300 s"), " by timer 1."]
//
// Next: `wheel.js`.

class Words {
  constructor(trace, history) {
    this.events = trace.events;
    this.paused = trace.paused;
    this.hasWheel = trace.origin !== null;
    this.history = history;
    this.lives = history.lives;
    this.cause = history.causes.cause;
    finestDigits = trace.paused ? 9 : 6;
  }

  // ---- Names.

  // What a task is called: `root`, its name, or `task 7`. A name that says too little has the id
  // too.
  nameOf(id) {
    if (id === 0) return "root";
    const lane = this.lives.laneOf.get(id);
    const name = lane && lane.name !== null ? printable(lane.name) : "";
    if (name === "") return `task ${id}`;
    const unclear = this.history.shared.has(lane.name) || /^task \d+$/.test(name);
    return unclear ? `${name} (${id})` : name;
  }

  shortNameOf(id) {
    return shortened(this.nameOf(id), 40);
  }

  task(id) {
    return { task: id, text: this.shortNameOf(id) };
  }

  link(number, text) {
    return number === NONE ? text : { event: number, text };
  }

  place(place) {
    return { place, text: place };
  }

  who(by) {
    if (typeof by === "number") return [this.task(by)];
    if (by === "thread") return ["another thread"];
    if (by === "socket") return ["a socket"];
    if (by[0] === "timer") return [`timer ${by[1]}`];
    if (by[0] === "drop") return ["the destructor of ", this.task(by[1])];
    return ["code outside of every task"];
  }

  // How long before this an event was, as a link to it.
  ago(now, number) {
    if (number === NONE) return "earlier";
    const { at } = this.events[number];
    return this.link(number, at === now ? "just now" : `${span(now - at)} ago`);
  }

  // ---- What a task waits for.

  // In words, for a wait or a timer.
  awaited({ what, other, timer, deadline }) {
    if (timer !== undefined) return [`timer ${timer}, due at ${clockTime(deadline)}`];
    return other === undefined ? [what] : ["the end of ", this.task(other)];
  }

  waitsOf(state, id) {
    const waits = [...state.waits.values()].filter(({ task }) => task === id);
    return waits.map((wait) => this.awaited(wait));
  }

  timersOf(state, id) {
    const timers = [...state.timers.values()];
    const armed = timers.filter(({ wakes, armed }) => wakes === id && armed !== null);
    return armed.map((timer) => this.awaited(timer));
  }

  // ---- The sentences. `before` and `state` are the states before the event and after it.

  sentence(number, before, state) {
    const event = this.events[number];
    const parts = this["say_" + event.kind](event, number, before, state);
    const earlier = number < this.history.causes.summary && event.kind !== "known";
    return joined([earlier ? "Before the recording: " : "", parts].flat(Infinity));
  }

  say_spawn(event, number, before, state) {
    const { task, place, by } = event;
    const queue = this.queuePlace(state, task);
    if (task === 0) {
      return ["block_on begins at ", this.place(place), ". Its future is ", this.task(0),
        `, a task like any other: it joins the run queue, ${queue}.`];
    }
    return [capital(this.who(by)), " spawns ", this.task(task), " at ", this.place(place),
      `: it joins the run queue, ${queue}. Nothing of it has run yet.`];
  }

  queuePlace(state, id) {
    if (state.queue.length === 1) return "as the only one";
    return `as the ${ordinal(state.queue.indexOf(id) + 1)}`;
  }

  say_known(event) {
    const { task, place, phase, since, polls } = event;
    const lost = isLost(event) ? " It is lost: nobody has a waker of it." : "";
    const does = {
      queued: "is in the run queue", idle: "waits",
      polling: "is being polled", woken: "is being polled, and was woken meanwhile",
    }[phase];
    return [this.task(task), " is older than what is left of the recording. It was spawned at ",
      this.place(place), `, was polled ${times(polls, "time")}, and ${does} since `,
      `${clockTime(since)}.`, lost];
  }

  say_poll(event, number, before, state) {
    const task = state.tasks.get(event.task);
    const polls = !task ? "" : task.polls === 1 ? " for the first time" :
      ` for the ${ordinal(task.polls)} time`;
    return [this.task(event.task), ` is polled${polls}: `, this.whyQueued(event, number),
      ".", this.turnWords(number)];
  }

  whyQueued(event, number) {
    const cause = this.cause[number];
    if (cause === NONE) return ["it was the first in the run queue"];
    const { kind, at, by, effect } = this.events[cause];
    const when = this.link(cause, `at ${clockTime(at)}`);
    if (kind === "known") return ["it was in the run queue when the recording begins"];
    if (kind === "spawn" && event.task === 0) return ["block_on began ", when];
    if (kind === "spawn") return ["it was spawned ", when, " by ", this.who(by)];
    const who = by === event.task ? ["itself"] : this.who(by);
    const meanwhile = effect === "noted" ? ", during its last poll" : "";
    return ["it was woken ", when, " by ", who, meanwhile, this.waitedThen(cause)];
  }

  // What it waited for when it was woken: its lane remembers.
  waitedThen(wake) {
    const { spans } = this.lives.laneOf.get(this.events[wake].task);
    const last = spans[countBefore(spans, ({ to }) => to < wake)];
    if (!last || last.phase !== "idle") return [];
    const isMeant = this.events[wake].by === "socket" ? isForSocket :
      ({ timer }) => timer === undefined;
    const waits = last.waits.filter(isMeant);
    if (waits.length === 0) return [];
    return [", as it waited for ", listed(waits.map((wait) => this.awaited(wait)))];
  }

  turnWords(number) {
    const { turns } = this.history;
    const turn = turns.begunAt(number);
    if (turns.firsts[turn] !== number) return "";
    const size = turns.sizes[turn];
    if (size === 1) return ` Turn ${turn + 1} begins, with this poll alone.`;
    return ` Turn ${turn + 1} begins: ${size} tasks are runnable, each is polled once.`;
  }

  say_end(event, number, before, state) {
    return [this.howItEnded(event, before, state), this.blockedWords(event.blocked)];
  }

  howItEnded(event, before, state) {
    const task = before.tasks.get(event.task);
    const name = this.task(event.task);
    const isRoot = event.task === 0;
    switch (event.outcome) {
      case "ready":
        return [name, ` is ready: it is over${this.ageWords(event, task)}.`,
          isRoot ? " block_on returns." : ""];
      case "panicked":
        return [name, ` has panicked: it is over${this.ageWords(event, task)}.`, isRoot ?
          " The panic comes out of block_on, when every other task has been dropped." :
          " The panic goes no further than to who awaits its handle."];
      case "aborted":
        return [name, " was to be aborted: instead of being polled, its future has been dropped, ",
          "with all that it held."];
      default:
        return this.howItIsPending(event, task, state);
    }
  }

  ageWords({ at }, task) {
    if (!task) return "";
    const age = task.born === null || task.born === at ? "" : ` and ${span(at - task.born)}`;
    return `, after ${times(task.polls, "poll")}${age}`;
  }

  howItIsPending(event, task, state) {
    const name = this.task(event.task);
    if (task && task.phase === "woken") {
      return [name, " is pending, but was woken during this poll: it goes to the end of the run ",
        `queue, ${this.queuePlace(state, event.task)}.`];
    }
    const what = [...this.waitsOf(state, event.task), ...this.timersOf(state, event.task)];
    const lost = event.wakers === 0 ? " It has no waker left: nobody can wake it any more." : "";
    if (what.length === 0) {
      return [name, " is pending: it waits to be woken. For what, the trace does not tell.", lost];
    }
    return [name, " is pending: it waits for ", listed(what), ".", lost];
  }

  blockedWords(blocked) {
    if (blocked === null) return "";
    const took = Math.round(blocked / 1e6);
    return ` The poll took ${took} ms of real time, in which nothing else could run.`;
  }

  say_wake(event, number, before, state) {
    const { task, by, effect } = event;
    const wakes = by === "socket" ? this.socketWakes(event, number, before) :
      by[0] === "timer" ? this.timerWakes(event, before) : this.someoneWakes(event, before);
    switch (effect) {
      case "queued":
        return [wakes, by === "socket" ? ". Now " : ": ", this.task(task),
          ` joins the run queue, ${this.queuePlace(state, task)}.`];
      case "noted":
        return [wakes, ", while it is being polled: it will join the run queue when the poll ",
          "ends."];
      case "coalesced":
        return [wakes, ". That is coalesced: ", this.whyCoalesced(number, before),
          " One poll answers both."];
      default:
        return [wakes, ", which is over: nothing happens."];
    }
  }

  someoneWakes({ task, by }, before) {
    if (by === task) return [this.task(task), " wakes itself"];
    const waits = this.waitsOf(before, task);
    return [capital(this.who(by)), " wakes ", this.task(task),
      waits.length === 0 ? "" : [", which waits for ", listed(waits)]];
  }

  timerWakes({ task, by, at }, before) {
    const timer = before.timers.get(by[1]);
    if (!timer || timer.armedAt === NONE) return [this.task(task), ` is woken by timer ${by[1]}`];
    return [this.task(task), ` is woken by its timer ${by[1]}, armed `, this.ago(at, timer.armedAt),
      timer.place === null ? "" : [" at ", this.place(timer.place)]];
  }

  socketWakes({ task, at }, number, before) {
    const waits = [...before.waits.values()].filter((wait) => wait.task === task);
    const forSockets = waits.filter(isForSocket);
    const what = forSockets.map((wait) => [wait.what, " made at ", this.place(wait.place)]);
    if (what.length === 0) return [this.task(task), " is woken by a socket"];
    const since = forSockets[0].since;
    const time = what.length > 1 || at === since ? "" :
      [", for ", this.link(this.cause[number], span(at - since))];
    return [this.task(task), " is woken by a socket: it waited for ", listed(what), time];
  }

  whyCoalesced(number, before) {
    const { task, at } = this.events[number];
    const earlier = this.history.causes.earlier.get(number);
    const reason = earlier === NONE ? undefined : this.events[earlier];
    const known = before.tasks.get(task);
    const where = known && known.phase === "queued" ? "it is in the run queue already" :
      "it will join the run queue anyway";
    if (!reason || reason.kind === "known") return [where, "."];
    const what = reason.kind === "spawn" ? "spawned" : "woken";
    const who = this.who(reason.by);
    return [where, `, as it was ${what} `, this.ago(at, earlier), " by ", who, "."];
  }

  say_forgotten({ task, by }) {
    return ["The last waker of ", this.task(task), " is dropped, by ", this.who(by),
      ", while it waits: nobody can wake it any more."];
  }

  say_abort({ task, by }) {
    return [capital(this.who(by)), " aborts ", this.task(task),
      ": when it is polled next, its future will be dropped instead."];
  }

  say_dropped({ task }, number) {
    const end = this.events[this.cause[number]];
    const panicked = end && end.kind === "end" && end.outcome === "panicked";
    return [this.task(task), " is dropped, unfinished: ",
      panicked ? "root has panicked." : "the executor ends."];
  }

  say_timer(event) {
    return [capital(this.who(event.by)), ` makes timer ${event.timer} at `,
      this.place(event.place), `, ${dueWords(event)}. It is not on the wheel before it is polled.`];
  }

  say_arm(event) {
    const { level, slot } = wheelPlace(ticks(event.at), deadlineTicks(event.deadline));
    const where = this.hasWheel ? `, on level ${level}, in slot ${slot}` : "";
    const whom = event.wakes === null ? "" : [" It will wake ", this.task(event.wakes), "."];
    return [`Timer ${event.timer} is put on the wheel${where}: it is ${dueWords(event)}.`, whom];
  }

  say_fire(event, number, before) {
    const timer = before.timers.get(event.timer);
    if (!timer) return [`Timer ${event.timer} fires.`];
    const late = event.at - timer.deadline;
    const when = late > 0 ? `${span(late)} after its deadline` : "exactly at its deadline";
    return [`Timer ${event.timer} fires, ${when}. It was armed `,
      this.ago(event.at, this.cause[number]),
      timer.place === null ? "" : [", and made at ", this.place(timer.place)], "."];
  }

  say_due({ timer }) {
    return [`Timer ${timer} is polled after its deadline: there is nothing to wait for.`];
  }

  say_reset(event) {
    return [`Timer ${event.timer} has a new deadline, and is off the wheel: it is `,
      `${dueWords(event)}.`];
  }

  say_gone(event, number, before) {
    const timer = before.timers.get(event.timer);
    const name = `Timer ${event.timer}`;
    if (timer && timer.armed !== null) {
      const early = span(Math.max(0, timer.deadline - event.at));
      return [`${name} is taken off the wheel, ${early} before its deadline: its sleep is `,
        "dropped."];
    }
    if (timer && timer.fired) return [`${name} is dropped: it has done its work.`];
    return [`${name} is dropped. It was not on the wheel.`];
  }

  say_wait(event, number, before, state) {
    let place = 0;
    for (const wait of state.waits.values()) place += wait.line === event.line ? 1 : 0;
    const line = place > 1 ? `, as the ${ordinal(place)} in line` : "";
    return [this.task(event.task), ` waits for ${event.what} (made at `, this.place(event.place),
      `)${line}.`];
  }

  say_join({ task, other }) {
    return [this.task(task), " waits for the end of ", this.task(other), "."];
  }

  say_over(event, number, before) {
    const wait = before.waits.get(event.wait);
    if (!wait) return ["A wait is over."];
    return [this.task(wait.task), " waits no more for ", this.awaited(wait),
      ". The wait began ", this.ago(event.at, this.cause[number]), "."];
  }

  say_park({ until }, number, before) {
    const waits = [...before.waits.values()];
    const ends = [
      until === null ? "" : `until ${clockTime(until)}, the next deadline`,
      waits.some(isForSocket) ? "until a socket is ready" : "",
      "until somebody wakes it",
    ];
    const end = ends.filter((end) => end !== "").join(", or ");
    return [`Nothing is runnable: the thread sleeps ${end}.`];
  }

  say_unpark({ at }, number) {
    const park = this.cause[number];
    if (park === NONE) return ["The thread sleeps no more."];
    return ["The thread has slept for ", this.link(park, span(at - this.events[park].at)),
      ", and looks for what is to be done."];
  }

  say_clock({ at }, number, before) {
    const by = span(at - before.now);
    if (before.polling !== null) {
      return [this.task(before.polling), ` sets the paused clock forward by ${by}.`];
    }
    const cause = this.cause[number];
    const timer = cause === NONE ? "" : [", the deadline of ",
      this.link(cause, `timer ${this.events[cause].timer}`)];
    return [`Nothing is runnable and the clock is paused: it jumps ${by} forward, to `,
      clockTime(at), timer, "."];
  }

  say_mark({ by, text }) {
    return [capital(this.who(by)), ` says: “${shortened(printable(text), 300)}”`];
  }

  say_value({ name, value }, number, before) {
    const last = before.values.get(name);
    const was = last === undefined ? "" : ` It was ${last}.`;
    return [`${shortened(printable(name), 60)} is ${value} from now on.${was}`];
  }

  // ---- A few words for each event, for links to it.

  brief(number) {
    const { kind, task, timer, outcome } = this.events[number];
    const name = task === undefined ? "" : this.shortNameOf(task);
    switch (kind) {
      case "spawn": return task === 0 ? "block_on begins" : `${name} is spawned`;
      case "known": return `${name} was there before`;
      case "poll": return `poll of ${name}`;
      case "end": return `${name} ${outcome === "panicked" ? "has" : "is"} ${outcome}`;
      case "wake": return `wake of ${name}`;
      case "abort": return `abort of ${name}`;
      case "wait":
      case "join": return `${name} begins to wait`;
      case "timer": return `timer ${timer} is made`;
      case "arm": return `timer ${timer} is armed`;
      case "fire": return `timer ${timer} fires`;
      case "due": return `timer ${timer} is due`;
      case "reset": return `timer ${timer} is reset`;
      case "gone": return `timer ${timer} is dropped`;
      default: return (name === "" ? "" : `${name} is `) + BRIEF[kind];
    }
  }
}

const BRIEF = {
  forgotten: "forgotten", dropped: "dropped", over: "the wait ends", park: "the thread sleeps",
  unpark: "the thread wakes", clock: "the clock is set forward", mark: "a mark", value: "a value",
};

// ---- Text -------------------------------------------------------------------------------------

// Texts that stand beside each other become one.
function joined(parts) {
  const joined = [];
  for (const part of parts) {
    const isText = typeof part === "string";
    if (isText && typeof joined.at(-1) === "string") joined.push(joined.pop() + part);
    else if (part !== "") joined.push(part);
  }
  return joined;
}

function textOf(parts) {
  return parts.map((part) => (typeof part === "string" ? part : part.text)).join("");
}

// A sentence that begins with a plain word begins with a capital. Names stay as they are.
function capital([first, ...rest]) {
  if (typeof first !== "string" || first === "") return [first, ...rest];
  return [first[0].toUpperCase() + first.slice(1), ...rest];
}

// [a], [b], [c] -> a, b and c. Of more than four, the first three.
function listed(items) {
  const more = items.length > 4 ? [[`${items.length - 3} other things`]] : [];
  const shown = more.length > 0 ? [...items.slice(0, 3), ...more] : items;
  return shown.flatMap((item, nth) => {
    if (nth === 0) return item;
    return [nth === shown.length - 1 ? " and " : ", ", ...item];
  });
}

function times(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function ordinal(n) {
  const teens = n % 100 >= 11 && n % 100 <= 13;
  const ending = teens ? "th" : ["th", "st", "nd", "rd"][n % 10] || "th";
  return n + ending;
}

// Without what cannot be seen: a name may hold anything.
function printable(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
}

function shortened(text, atMost) {
  const letters = Array.from(text.slice(0, 2 * atMost + 2));
  return letters.length > atMost ? letters.slice(0, atMost - 1).join("") + "…" : text;
}

// ---- Times ------------------------------------------------------------------------------------

// How many digits of a second are told at most. On a clock that runs the last three are noise.
let finestDigits = 9;

// A time since the executor was made: 0.300 s. More than three digits only if they are not zero.
function clockTime(nanoseconds) {
  if (nanoseconds >= 1e20) return "the end of time";
  const finest = 10 ** (9 - finestDigits);
  const rounded = Math.round(nanoseconds / finest) * finest;
  const fraction = String(Math.round(rounded % 1e9)).padStart(9, "0").slice(0, finestDigits);
  return `${Math.floor(rounded / 1e9)}.${fraction.replace(/^(.{3}(.{3})*?)(000)*$/, "$1")} s`;
}

// How long: 300 ms, 1.5 s, 12 µs, 2 h 30 min.
function span(nanoseconds) {
  if (nanoseconds >= 120e9) return longSpan(Math.round(nanoseconds / 1e9));
  const [unit, size] = nanoseconds >= 1e9 ? ["s", 1e9] : nanoseconds >= 1e6 ? ["ms", 1e6] :
    nanoseconds >= 1e3 ? ["µs", 1e3] : ["ns", 1];
  const digits = finestDigits === 9 ? 6 : 2;
  return `${Number((nanoseconds / size).toFixed(digits))} ${unit}`;
}

function longSpan(seconds) {
  const units = [["days", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => seconds >= 2 * size || size === 60);
  const [[unit, size], [smaller, part]] = units.slice(first, first + 2);
  const rest = Math.floor((seconds % size) / part);
  return `${Math.floor(seconds / size)} ${unit}${rest > 0 ? ` ${rest} ${smaller}` : ""}`;
}

function dueWords({ deadline, at }) {
  const left = deadline - at;
  return `due ${left > 0 && deadline < 1e20 ? `in ${span(left)}, ` : ""}at ${clockTime(deadline)}`;
}
