// The axes of the drawing: where an event is from left to right, and a lane from top to bottom.
//
// A single thread does one thing after the other, and on a paused clock a hundred of them at the
// same time. So each event has a column, one beside the other in their order, and the time is
// written above where it changes. By time instead of by order is the same drawing, with another
// `position`: that of an event is its time then, and of all events of one time the same.
//
//   gutter │ x(0)      x(1)      x(2)      x(3)      x = gutter + (position - left) * scale
//          │  ├ event 0 ┼ event 1 ┼ event 2 ┤
//
// Next: `lanes.js`.

const ROW = 36;
const AXIS = 34;
const MIDDLE = 21; // of a row: where a lane's boxes are; above are its timers
const MOST_PIXELS_PER_EVENT = 64;

class Axes {
  constructor({ scroller, spacer, canvas }, history) {
    Object.assign(this, { scroller, spacer, canvas, history });
    this.count = history.events.length;
    this.byTime = false;
    this.left = 0; // the position at the left edge
    this.scale = 0; // pixels for one unit of position; 0: not laid out yet
    this.index = 0; // the cursor
    this.rows = [];
    this.rowOfLane = new Map();
  }

  // Rows: marks if there are any, these lanes, and a curve for each value.
  setRows(lanes) {
    const { marks, tracks } = this.history;
    this.rows = marks.length > 0 ? [{ kind: "marks" }] : [];
    this.rowOfLane.clear();
    for (const lane of lanes) {
      this.rowOfLane.set(lane.number, this.rows.length);
      this.rows.push({ kind: "lane", lane });
    }
    for (const track of tracks.values()) this.rows.push({ kind: "track", track });
    this.spacer.style.height = `${this.contentHeight}px`;
  }

  get contentHeight() {
    return AXIS + this.rows.length * ROW + 2;
  }

  // The canvas is as large as the window lets it be, and as sharp as the screen.
  resize() {
    const [width, height] = [this.scroller.clientWidth, this.scroller.clientHeight];
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    Object.assign(this, { width, height, ratio });
    this.gutter = width < 600 ? 84 : 132;
    if (this.scale === 0) this.fit();
    this.clamp();
  }

  // ---- Where things are.

  position(index) {
    return this.byTime ? this.history.times[index] - this.history.times[0] : index;
  }

  get length() {
    return Math.max(this.position(this.count), 1);
  }

  x(index) {
    return this.gutter + (this.position(index) - this.left) * this.scale;
  }

  // The middle of an event's column. By time it has no width.
  middle(number) {
    return this.byTime ? this.x(number + 1) : this.x(number) + this.scale / 2;
  }

  // The number of the event that is drawn at x, or the nearest.
  eventAt(x) {
    const position = this.left + (x - this.gutter) / this.scale;
    const index = this.byTime ? this.indexAtTime(position) : Math.floor(position);
    return Math.max(0, Math.min(this.count - 1, index));
  }

  indexAtTime(position) {
    const { times } = this.history;
    return countBefore(times, (time) => time - times[0] <= position) - 2;
  }

  y(row) {
    return AXIS + row * ROW - this.scroller.scrollTop + MIDDLE;
  }

  rowAt(y) {
    return y < AXIS ? undefined : this.rows[Math.floor((y - AXIS + this.scroller.scrollTop) / ROW)];
  }

  // The events in sight: from the first to before the last.
  sight() {
    const first = this.eventAt(this.gutter);
    return [Math.max(0, first - 1), Math.min(this.count, this.eventAt(this.width) + 2)];
  }

  // ---- Moving about.

  get room() {
    return Math.max(40, this.width - this.gutter - 24);
  }

  // All of it if its events can be told apart then, else a part at a readable size.
  fit() {
    const whole = this.room / this.length;
    this.scale = this.byTime ? whole : Math.min(MOST_PIXELS_PER_EVENT / 2, Math.max(whole, 14));
    this.left = 0;
  }

  fitAll() {
    this.scale = Math.min(this.mostScale, this.room / this.length);
    this.left = 0;
  }

  get mostScale() {
    return this.byTime ? this.room / this.length * 1e6 : MOST_PIXELS_PER_EVENT;
  }

  // So that what is at x stays where it is.
  zoom(factor, x = this.x(this.index)) {
    const held = Math.min(Math.max(x, this.gutter), this.width) - this.gutter;
    const position = this.left + held / this.scale;
    const least = Math.min(this.room / this.length, this.mostScale);
    this.scale = Math.min(Math.max(this.scale * factor, least), this.mostScale);
    this.left = position - held / this.scale;
    this.clamp();
  }

  pan(pixels) {
    this.left += pixels / this.scale;
    this.clamp();
  }

  clamp() {
    const most = Math.max(0, this.length - this.room / this.scale);
    this.left = Math.min(Math.max(0, this.left), most);
  }

  switchAxis() {
    this.byTime = !this.byTime;
    this.fit();
    this.reveal();
  }

  // Moves the drawing so that the cursor is in it, and the lane of its event.
  reveal() {
    const x = this.x(this.index);
    const margin = Math.min(80, this.room / 4);
    if (x < this.gutter + margin || x > this.width - margin) {
      this.left = this.position(this.index) - this.room / 2 / this.scale;
      this.clamp();
    }
    const row = this.rowOfLane.get(this.history.lives.subject[this.index - 1]);
    if (row === undefined) return;
    const y = this.y(row);
    const hidden = y < AXIS + MIDDLE || y > this.height - ROW / 2;
    if (hidden) this.scroller.scrollTop += y - (AXIS + this.height) / 2;
  }
}
