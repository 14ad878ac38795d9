// The lanes: a row for each task, events from left to right, on a canvas.
//
//             0.000 s                   0.200 s
//   root      ▒██────── the end of server ─────    ██ polled   ▒▒ in the run queue   ── waits
//   server       ▒██────── the end of db ──────
//   db              ▒██●──── until 0.300 s ────    ● a timer is armed, ◆ and fires
//
// Drawn is what can be seen, no more: in each row the first span in sight is found by binary
// search, and of spans that fall on the same pixel one is drawn. So a hundred thousand events take
// as long as a hundred.
//
// Next: `elements.js`.

const BAR = 18;
const FONT = "13px system-ui, sans-serif";
const SMALL_FONT = "11.5px system-ui, sans-serif";

class Lanes extends Axes {
  constructor(page, history, words) {
    super(page, history);
    this.words = words;
    this.followed = null; // the id of a task
    this.setRows(history.lives.lanes);
    this.readColours();
  }

  // Light or dark is decided by the style sheet: it is asked what has come of it.
  readColours() {
    this.colours = {};
    for (const name of ["paper", "ink", "muted", "rule", "tick", "stripe", "poll", "sign",
      "queued", "line", "timer", "wake", "said", "bad"]) {
      this.canvas.style.color = `var(--${name})`;
      this.colours[name] = getComputedStyle(this.canvas).color;
    }
  }

  draw() {
    if (!this.width) return;
    const pen = (this.pen = this.canvas.getContext("2d"));
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.textBaseline = "middle";
    this.fill("paper", 0, 0, this.width, this.height);
    const [from, to] = this.sight();
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / ROW) - 1);
    const last = Math.min(this.rows.length, first + Math.ceil(this.height / ROW) + 2);
    this.drawStripes(first, last);
    this.clip(this.gutter, AXIS, () => {
      this.drawRests(from, to);
      for (let row = first; row < last; row++) this.drawRow(row, from, to);
      this.drawArrows(from, to);
      this.drawCursor();
    });
    this.clip(0, AXIS, () => {
      for (let row = first; row < last; row++) this.drawLabel(this.rows[row], this.y(row));
    });
    this.drawAxis(from, to);
  }

  // ---- Strokes.

  fill(colour, x, y, width, height) {
    this.pen.fillStyle = this.colours[colour];
    this.pen.fillRect(x, y, width, height);
  }

  // A line through these points: [x, y], [x, y], …
  line(colour, width, ...points) {
    const { pen } = this;
    pen.strokeStyle = this.colours[colour];
    pen.lineWidth = width;
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(x, y);
    pen.stroke();
  }

  dot(colour, x, y, radius) {
    const { pen } = this;
    pen.fillStyle = this.colours[colour];
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
  }

  text(colour, font, text, x, y) {
    this.pen.font = font;
    this.pen.fillStyle = this.colours[colour];
    this.pen.fillText(text, x, y);
  }

  clip(left, top, draw) {
    const { pen } = this;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, this.width - left, this.height - top);
    pen.clip();
    draw();
    pen.restore();
  }

  // ---- Rows.

  drawStripes(first, last) {
    for (let row = first; row < last; row++) {
      this.fill(this.ground(row), 0, this.y(row) - MIDDLE, this.width, ROW);
    }
  }

  ground(row) {
    return row % 2 === 0 ? "stripe" : "paper";
  }

  drawLabel({ kind, lane, track }, y) {
    const room = this.gutter - 16;
    if (kind === "marks") return this.text("muted", FONT, "marks", 8, y);
    if (kind === "track") return this.drawTrackLabel(track, y, room);
    const followed = this.followed === lane.id;
    this.pen.font = followed ? "bold " + FONT : FONT;
    const name = fitted(this.pen, this.words.nameOf(lane.id), room);
    this.text("ink", this.pen.font, name, 8, y);
    if (followed) this.fill("ink", 0, y - 12, 3, 24);
  }

  drawTrackLabel(track, y, room) {
    const nth = countBefore(track.points, (point) => point.number < this.index) - 1;
    const now = nth < 0 ? "no value yet" : `= ${track.points[nth].value}`;
    this.pen.font = FONT;
    this.text("ink", FONT, fitted(this.pen, printable(track.name), room), 8, y - 9);
    this.text("muted", SMALL_FONT, fitted(this.pen, now, room), 8, y + 6);
  }

  drawRow(row, from, to) {
    const { kind, lane, track } = this.rows[row];
    this.behind = this.ground(row);
    if (kind === "lane") this.drawLane(lane, this.y(row), from, to);
    else if (kind === "track") this.drawTrack(track, this.y(row), from, to);
    else this.drawMarks(this.y(row), from, to);
  }

  // ---- A lane.

  drawLane(lane, y, from, to) {
    const { spans } = lane;
    let nth = countBefore(spans, (span) => span.to < from);
    while (nth < spans.length && spans[nth].from <= to) {
      const span = spans[nth];
      const right = this.x(span.to);
      this.drawSpan(span, y, this.x(span.from), right);
      const next = this.firstBeyond(spans, nth + 1, Math.floor(right) + 1);
      // Many on one pixel: somewhere among them is a poll.
      if (next > nth + 1) this.fill("poll", right - 1, y - BAR / 2, 1.5, BAR);
      nth = next;
    }
    this.drawEnds(lane, y, from, to);
    if (to - from < this.width / 2) this.drawTimers(lane, y, from, to);
  }

  // The first span, not before `nth`, that ends at this pixel or after it.
  firstBeyond(spans, nth, pixel) {
    if (nth >= spans.length || this.x(spans[nth].to) >= pixel) return nth;
    let [low, high] = [nth, spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.x(spans[middle].to) < pixel) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  drawSpan(span, y, left, right) {
    const x = Math.max(left, this.gutter - 10);
    const width = Math.max(Math.min(right, this.width + 10) - x, 1);
    if (span.phase === "queued") return this.fill("queued", x, y - 4, width, 8);
    if (span.phase === "polling") return this.drawPoll(span, x, y, width);
    this.fill("line", x, y - 0.75, width, 1.5);
    if (width > 60) this.drawWaitLabel(span, x, y, width);
  }

  // The last poll of a task has a sign: ✓ ready, ✕ panicked. One that was aborted is empty.
  drawPoll({ outcome }, x, y, width) {
    const { pen } = this;
    const colour = outcome === "panicked" ? "bad" : "poll";
    if (width < 6) return this.fill(colour, x, y - BAR / 2, width, BAR);
    pen.beginPath();
    pen.roundRect(x + 1, y - BAR / 2, width - 2, BAR, 3);
    pen.fillStyle = this.colours[outcome === "aborted" ? this.behind : colour];
    pen.fill();
    if (outcome === "aborted") this.outline();
    const middle = x + width / 2;
    if (width < 16) return;
    if (outcome === "ready") {
      this.line("sign", 2.2, [middle - 5, y], [middle - 1.5, y + 4], [middle + 5, y - 4]);
    } else if (outcome === "panicked") {
      this.line("sign", 2.2, [middle - 4, y - 4], [middle + 4, y + 4]);
      this.line("sign", 2.2, [middle + 4, y - 4], [middle - 4, y + 4]);
    }
  }

  outline() {
    this.pen.strokeStyle = this.colours.poll;
    this.pen.lineWidth = 2;
    this.pen.stroke();
  }

  // A task that was dropped ends in an empty box of its own. And an end that is too small for its
  // sign has a dot.
  drawEnds({ lives }, y, from, to) {
    for (const { to: end, how } of lives) {
      if (end === null || end < from || end > to + 1 || how === "replaced") continue;
      const x = this.x(end);
      if (how === "dropped") {
        this.fill(this.behind, x, y - BAR / 2, 9, BAR);
        this.pen.beginPath();
        this.pen.roundRect(x + 1, y - BAR / 2 + 1, 7, BAR - 2, 3);
        this.outline();
      } else if (this.scale < 8 || this.byTime) {
        this.dot(how === "panicked" ? "bad" : "poll", x, y, 3.5);
        if (how === "aborted") this.dot(this.behind, x, y, 1.8);
      }
    }
  }

  // ──── until 0.300 s ────
  drawWaitLabel(span, x, y, width) {
    this.pen.font = SMALL_FONT;
    const text = fitted(this.pen, this.waitText(span), width - 24);
    if (text.length < 3) return;
    const length = this.pen.measureText(text).width;
    const start = x + Math.max(10, Math.min(24, (width - length) / 2));
    this.fill(this.behind, start - 4, y - 8, length + 8, 16);
    this.text("muted", SMALL_FONT, text, start, y + 0.5);
  }

  waitText(span) {
    if (span.label !== undefined) return span.label;
    const waits = span.waits.map((wait) => (wait.timer !== undefined ?
      `until ${clockTime(wait.deadline)}` : textOf(this.words.awaited(wait))));
    span.label = waits.join(", ") + (span.more > 0 ? `, and ${span.more} more` : "");
    return span.label;
  }

  // ● armed, ◆ fires, ◇ due at once.
  drawTimers({ timers }, y, from, to) {
    let nth = countBefore(timers, (timer) => timer.number < from);
    for (; nth < timers.length && timers[nth].number < to; nth++) {
      const { number, kind } = timers[nth];
      const x = this.middle(number);
      if (kind === "arm") this.dot("timer", x, y - 15, 3.2);
      else this.diamond(x, y - 15, kind === "fire");
    }
  }

  diamond(x, y, isFull) {
    const { pen } = this;
    pen.beginPath();
    for (const [right, down] of [[0, -5], [5, 0], [0, 5], [-5, 0]]) pen.lineTo(x + right, y + down);
    pen.closePath();
    pen.fillStyle = isFull ? this.colours.timer : this.colours[this.behind];
    pen.fill();
    pen.strokeStyle = this.colours.timer;
    pen.lineWidth = 1.2;
    pen.stroke();
  }

  // ---- Arrows: who wakes, spawns, aborts whom.

  drawArrows(from, to) {
    const { arrows } = this.history.lives;
    const current = this.index - 1;
    // From far above they would cover everything.
    const all = this.scale >= 7 && !this.byTime;
    let nth = countBefore(arrows, ({ number }) => number < (all ? from : current));
    const end = all ? to : current + 1;
    for (; nth < arrows.length && arrows[nth].number < end; nth++) {
      this.drawArrow(arrows[nth], arrows[nth].number === current);
    }
  }

  drawArrow({ number, from, to, kind }, isStrong) {
    const [source, target] = [this.rowOfLane.get(from), this.rowOfLane.get(to)];
    if (target === undefined) return;
    const { pen } = this;
    const x = this.middle(number);
    const y = this.y(target);
    pen.globalAlpha = isStrong ? 1 : 0.65;
    if (source === target) {
      this.drawHook(x, y - BAR / 2 - 1, kind, isStrong);
    } else {
      // Who is in no lane (a timer, a thread, a socket) is above it.
      const down = source === undefined || source < target ? 1 : -1;
      const start = source === undefined ? y - MIDDLE : this.y(source) + down * BAR / 2;
      this.drawShaft(x, start, y - down * BAR / 2, down, kind, isStrong);
    }
    if (this.history.events[number].by === "socket") this.drawPlug(x, y - MIDDLE);
    pen.globalAlpha = 1;
  }

  // A socket is in no lane.
  drawPlug(x, top) {
    this.pen.fillStyle = this.colours.wake;
    this.pen.fillRect(x - 4, top, 8, 5);
  }

  drawShaft(x, start, end, down, kind, isStrong) {
    const { pen } = this;
    const colour = ARROWS[kind];
    pen.setLineDash(kind === "spawn" ? [4, 3] : []);
    this.line(colour, isStrong ? 2.6 : kind === "vain" ? 1 : 1.5, [x, start], [x, end - down * 5]);
    pen.setLineDash([]);
    if (kind === "abort") {
      this.line(colour, 2, [x - 4, end - 8], [x + 4, end]);
      this.line(colour, 2, [x + 4, end - 8], [x - 4, end]);
    } else {
      this.tip(colour, x, end, down, isStrong ? 5 : 4, kind === "vain");
    }
  }

  // A task that wakes itself.
  drawHook(x, y, kind, isStrong) {
    const { pen } = this;
    const colour = ARROWS[kind];
    pen.strokeStyle = this.colours[colour];
    pen.lineWidth = isStrong ? 2.4 : 1.5;
    pen.beginPath();
    pen.arc(x, y, 5, Math.PI, 2 * Math.PI);
    pen.stroke();
    this.tip(colour, x + 5, y + 4, 1, 4, kind === "vain");
  }

  tip(colour, x, y, down, size, isHollow) {
    const { pen } = this;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x - size, y - down * size * 1.5);
    pen.lineTo(x + size, y - down * size * 1.5);
    pen.closePath();
    pen.fillStyle = this.colours[isHollow ? "paper" : colour];
    pen.fill();
    if (!isHollow) return;
    pen.strokeStyle = this.colours[colour];
    pen.lineWidth = 1;
    pen.stroke();
  }

  // ---- Marks and values.

  drawMarks(y, from, to) {
    const { marks, events } = this.history;
    let [last, free] = [-Infinity, -Infinity]; // where a flag was, and where a text ended
    let nth = countBefore(marks, (mark) => mark < from);
    for (; nth < marks.length && marks[nth] < to; nth++) {
      const x = this.middle(marks[nth]);
      if (x < last + 3) continue;
      last = x;
      this.fill("said", x - 1, y - 12, 2, 22);
      this.fill("said", x, y - 12, 8, 7);
      const next = nth + 1 < marks.length ? this.middle(marks[nth + 1]) : this.width;
      if (x < free || next - x < 50) continue;
      this.pen.font = SMALL_FONT;
      const text = fitted(this.pen, printable(events[marks[nth]].text), next - x - 18);
      this.text("ink", SMALL_FONT, text, x + 12, y);
      free = x + 12 + this.pen.measureText(text).width;
    }
  }

  // A curve of steps. Of the values on one pixel: the lowest, the highest, the last.
  drawTrack({ points, least, most }, y, from, to) {
    const height = (value) => y + 8 - (Number(value) - least) / (most - least || 1) * 22;
    const corners = [];
    let [x, low, high, last] = [null, 0, 0, 0];
    const goTo = (end) => corners.push([x, low], [x, high], [x, last], [end, last]);
    let nth = Math.max(0, countBefore(points, (point) => point.number < from) - 1);
    for (; nth < points.length && points[nth].number <= to; nth++) {
      const pixel = Math.round(this.middle(points[nth].number));
      const value = height(points[nth].value);
      if (x !== null && pixel > x) goTo(pixel);
      const isNew = pixel !== x;
      low = isNew ? value : Math.min(low, value);
      high = isNew ? value : Math.max(high, value);
      [x, last] = [pixel, value];
    }
    if (x !== null) goTo(this.x(Math.min(to + 1, this.count)));
    this.line("said", 1.8, ...corners);
  }

  // ---- The axis and the cursor.

  // Where time passes, or jumps.
  drawRests(from, to) {
    const { jumps } = this.history;
    if (this.byTime || !this.words.paused) return;
    this.pen.setLineDash([2, 3]);
    let nth = countBefore(jumps, (jump) => jump < from);
    for (let last = -Infinity; nth < jumps.length && jumps[nth] < to; nth++) {
      const x = Math.round(this.x(jumps[nth])) + 0.5;
      if (x - last > 6) this.line("tick", 1, [x, AXIS], [x, this.height]);
      last = x;
    }
    this.pen.setLineDash([]);
  }

  drawAxis(from, to) {
    this.fill("paper", 0, 0, this.width, AXIS);
    this.fill("rule", 0, AXIS - 1, this.width, 1);
    this.drawCauseArc();
    this.text("muted", SMALL_FONT, "time", 8, AXIS - 10);
    const { jumps, events } = this.history;
    let nth = Math.max(0, countBefore(jumps, (jump) => jump < from + 1) - 1);
    let free = this.gutter;
    while (nth < jumps.length && jumps[nth] < to) {
      const x = Math.max(this.x(jumps[nth]), this.gutter);
      const text = clockTime(events[jumps[nth]].at);
      this.fill("muted", x, AXIS - 7, 1, 7);
      this.pen.strokeStyle = this.colours.paper;
      this.pen.lineWidth = 4;
      this.pen.strokeText(text, x + 5, AXIS - 10);
      this.text("muted", SMALL_FONT, text, x + 5, AXIS - 10);
      free = x + this.pen.measureText(text).width + 16;
      // Where it is crowded, the next that has room.
      nth = Math.max(nth + 1, countBefore(jumps, (jump) => this.x(jump) < free));
    }
  }

  // An arc from the cause of what happened to it.
  drawCauseArc() {
    const { pen } = this;
    const cause = this.history.causes.cause[this.index - 1] ?? NONE;
    if (cause === NONE) return;
    const [start, end] = [this.middle(cause), this.middle(this.index - 1)];
    this.clip(this.gutter, 0, () => {
      pen.strokeStyle = this.colours.ink;
      pen.lineWidth = 1.4;
      pen.beginPath();
      pen.moveTo(start, AXIS - 2);
      pen.bezierCurveTo(start, 1, end, 1, end, AXIS - 6);
      pen.stroke();
      this.tip("ink", end, AXIS - 1, 1, 4, false);
      this.dot("ink", start, AXIS - 3, 3);
    });
  }

  drawCursor() {
    const right = this.x(this.index);
    if (this.index > 0) {
      const left = this.x(this.index - 1);
      this.pen.globalAlpha = 0.1;
      this.fill("ink", left, AXIS, Math.max(right - left, 1), this.height);
      this.pen.globalAlpha = 1;
    }
    this.fill("ink", Math.round(right) - 1, AXIS, 2, this.height);
    this.drawSpots();
  }

  // Where in the lanes: a ring around the cause, a dot on what happened.
  drawSpots() {
    if (this.index === 0) return;
    const { causes, lives } = this.history;
    for (const number of [causes.cause[this.index - 1], this.index - 1]) {
      const row = this.rowOfLane.get(lives.subject[number]);
      if (row === undefined) continue;
      const [x, y] = [this.middle(number), this.y(row)];
      this.dot("paper", x, y, 6);
      this.dot("ink", x, y, 4.5);
      if (number !== this.index - 1) this.dot("paper", x, y, 2.4);
    }
  }
}

// The colour of each kind of arrow.
const ARROWS = { wake: "wake", vain: "wake", spawn: "muted", abort: "bad" };

// As much of the text as there is room for.
function fitted(pen, text, room) {
  if (text.length < 400 && pen.measureText(text).width <= room) return text;
  const letters = Array.from(text.slice(0, 400));
  const fits = (length) => pen.measureText(letters.slice(0, length).join("") + "…").width <= room;
  const length = countBefore(letters.map((_, nth) => nth + 1), fits);
  return length === 0 ? "" : letters.slice(0, length).join("").trimEnd() + "…";
}
