// The causes: which event brought about which. And the turns.
//
// No event says what caused it, but nearly every one follows from an earlier one:
//
//   poll           the wake that brought the task into the run queue, or the task's spawn
//   wake, spawn    the poll in which somebody did it, or the timer that fired
//   timer fires    when it was armed
//   socket wakes   when the task began to wait for one
//   wait is over   when it began
//
// So the last event of each kind is remembered, by the number of the task, timer or wait that it
// was about, and looked up.
//
// A turn is not told either. The executor polls, once each, all that are in the run queue when the
// turn begins: the length of the queue then says when the next begins.
//
// Next: `lives.js`.

class Causes {
  constructor(events) {
    this.events = events;
    this.summary = summaryOf(events);
    this.cause = new Int32Array(events.length).fill(NONE);
    this.earlier = new Map(); // of a wake that changed nothing: the event that made it needless
    this.latest = new Map(); // by kind and number: the last event
    this.poll = NONE; // the event that began the poll that is going on
  }

  look(event, number) {
    if (number >= this.summary) this.cause[number] = this.of(event, number);
    if (event.kind === "wake" && !changesSomething(event)) {
      this.earlier.set(number, this.last("queued", event.task));
    }
    this.remember(event, number);
  }

  of(event, number) {
    switch (event.kind) {
      case "poll": return this.last("queued", event.task);
      case "dropped": return this.last("root's end");
      case "arm": return this.ofArming(event, number);
      case "fire": return this.last("arm", event.timer);
      case "due": return this.last("timer", event.timer);
      case "over": return this.last("wait", event.wait);
      case "unpark": return this.last("park");
      case "clock": return this.poll !== NONE ? this.poll : this.ofJump(number);
      // Outside of every poll a timer goes with the task that held it.
      case "gone": return this.poll !== NONE ? this.poll : this.last("any drop");
      case "park":
      case "known": return NONE;
      default: return event.by === undefined ? this.poll : this.ofDoer(event);
    }
  }

  ofDoer({ by, task }) {
    if (typeof by === "number") return this.poll;
    if (by === "socket") return this.ofSocket(task);
    const [what, number] = by;
    return what === "timer" ? this.last("fire", number) :
      what === "drop" ? this.last("dropped", number) : NONE;
  }

  // The last of its waits for a socket that goes on.
  ofSocket(task) {
    const wait = this.last("wait for a socket", task);
    if (wait === NONE) return NONE;
    return this.last("over", this.events[wait].wait) > wait ? NONE : wait;
  }

  // A timer that has a new deadline is armed again at once.
  ofArming({ timer }, number) {
    const last = this.events[number - 1];
    return last && last.kind === "reset" && last.timer === timer ? number - 1 : this.poll;
  }

  // A paused clock goes to the next deadline, whose timer fires then.
  ofJump(number) {
    const next = this.events[number + 1];
    return next && next.kind === "fire" ? this.last("arm", next.timer) : NONE;
  }

  remember(event, number) {
    const { kind, task, timer, wait, phase, outcome } = event;
    this.set(kind === "join" ? "wait" : kind, timer ?? wait ?? task, number);
    if (kind === "poll" || phase === "polling" || phase === "woken") this.poll = number;
    if (kind === "end") this.poll = NONE;
    if (kind === "dropped") this.set("any drop", undefined, number);
    if (isForSocket(event)) this.set("wait for a socket", task, number);
    if (endsRoot(event)) this.set("root's end", undefined, number);
    if (kind === "spawn" || kind === "known" || (kind === "wake" && changesSomething(event))) {
      this.set("queued", task, number);
    }
  }

  set(kind, id, number) {
    if (!this.latest.has(kind)) this.latest.set(kind, new Map());
    this.latest.get(kind).set(id, number);
  }

  last(kind, id) {
    const numbers = this.latest.get(kind);
    return (numbers && numbers.get(id)) ?? NONE;
  }

  // When all is known, what an event has led to: the inverse, as lists that are chained.
  invert() {
    this.firstEffect = new Int32Array(this.cause.length).fill(NONE);
    this.nextEffect = new Int32Array(this.cause.length).fill(NONE);
    for (let number = this.cause.length - 1; number >= 0; number--) {
      const cause = this.cause[number];
      if (cause === NONE) continue;
      this.nextEffect[number] = this.firstEffect[cause];
      this.firstEffect[cause] = number;
    }
  }

  effectsOf(number, atMost) {
    const effects = [];
    let effect = this.firstEffect[number];
    while (effect !== NONE && effects.length < atMost) {
      effects.push(effect);
      effect = this.nextEffect[effect];
    }
    return effects;
  }
}

// How many of the first events are a summary of those that were dropped: what was alive then.
function summaryOf(events) {
  if (events.length === 0 || events[0].kind !== "known") return 0;
  const first = events.findIndex(({ kind }) =>
    !["known", "timer", "arm", "wait", "join"].includes(kind));
  return first < 0 ? events.length : first;
}

function changesSomething({ effect }) {
  return effect === "queued" || effect === "noted";
}

// Whether it is a wait that a socket can end. These are the words of `net`.
function isForSocket({ what }) {
  return what !== undefined && /(TCP stream|TCP listener|UDP socket)$/.test(what);
}

function endsRoot({ kind, task, outcome }) {
  return task === 0 && (kind === "dropped" || (kind === "end" && outcome !== "pending"));
}

// ---- Turns ------------------------------------------------------------------------------------

class Turns {
  constructor() {
    this.firsts = []; // of each turn: the event that begins its first poll
    this.sizes = []; // of each turn: how many tasks were runnable
    this.left = 0; // of the turn that is going on: how many polls are still to come
    this.done = 0;
  }

  look(event, number, state) {
    if (event.kind === "poll") this.count(number, state.queue.length);
    else if (this.isBetweenTurns(event, state)) this.left = 0;
  }

  count(number, queued) {
    if (this.left === 0) {
      this.left = Math.max(queued, 1);
      this.done = 0;
      this.firsts.push(number);
      this.sizes.push(this.left);
    }
    this.left -= 1;
    this.done += 1;
  }

  // A turn ends early with the root. And timers fire between turns, or after every 64 polls of a
  // long one: so a recording that begins in the middle of a turn is soon in step.
  isBetweenTurns(event, state) {
    if (endsRoot(event) || event.kind === "park") return true;
    return event.kind === "fire" && state.polling === null && this.done % 64 !== 0;
  }

  // How many have begun after so many events.
  begunAt(index) {
    return countBefore(this.firsts, (first) => first < index);
  }
}
