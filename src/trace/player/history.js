// The history: what is asked of the whole run rather than of one moment.
//
// One walk over all events, at the beginning, with the state before each at hand. Causes, turns and
// lives look at each event; times, marks and values are kept here.
//
// Next: `words.js`.

class History {
  constructor(events, replay) {
    this.events = events;
    this.causes = new Causes(events);
    this.turns = new Turns();
    this.lives = new Lives(events);
    this.polls = []; // every event that begins a poll
    this.jumps = []; // every event at another time than the one before
    this.times = new Float64Array(events.length + 1); // the time at each index, never backwards
    this.marks = [];
    this.tracks = new Map(); // by name: a curve
    this.highestLevel = 0; // of the wheel
    while (replay.current.index < events.length) {
      this.look(events[replay.current.index], replay.current.index, replay.current);
      replay.forward();
    }
    this.times[0] = this.times[1] ?? 0;
    this.causes.invert();
    this.lives.end(events.length);
    this.shared = this.sharedNames();
  }

  look(event, number, state) {
    this.causes.look(event, number);
    this.turns.look(event, number, state);
    this.lives.look(event, number, state);
    this.times[number + 1] = Math.max(this.times[number], event.at);
    if (number === 0 || event.at !== state.now) this.jumps.push(number);
    if (event.kind === "poll") this.lookAtPoll(event, number);
    if (event.kind === "mark") this.marks.push(number);
    if (event.kind === "value") this.addPoint(event, number);
    if (event.kind === "arm") this.lookAtWheel(event);
  }

  lookAtPoll({ task }, number) {
    this.polls.push(number);
    if (this.turns.firsts.at(-1) === number) this.lives.lane(task).turns.push(number);
  }

  addPoint({ name, value }, number) {
    const track = this.tracks.get(name) || { name, points: [], least: 0, most: 0 };
    track.points.push({ number, value });
    track.least = Math.min(track.least, Number(value));
    track.most = Math.max(track.most, Number(value));
    this.tracks.set(name, track);
  }

  lookAtWheel({ at, deadline }) {
    const { level } = wheelPlace(ticks(at), deadlineTicks(deadline));
    this.highestLevel = Math.max(this.highestLevel, level);
  }

  // Which names need an id behind them, because several tasks have them.
  sharedNames() {
    const [seen, shared] = [new Set(), new Set(["root"])];
    for (const { name } of this.lives.lanes) (seen.has(name) ? shared : seen).add(name);
    return shared;
  }
}
