// The wheel: where each timer is on it, computed from deadlines and the time, and drawn.
//
// Where an entry is on the timing wheel need not be stored, says `time/wheel.rs`: it follows from
// its deadline and the present. So no event tells it, and this page can draw it all the same. An
// entry that is on a lower level than before the last event has cascaded, and is shown so. (On a
// clock that runs, the executor's wheel follows when it next looks at the time.)
//
//   0: 1 µs    ▯
//   1: 64 µs   ░░░░░▯             a row for each level, 64 slots in each
//   2: 4 ms    ░░░░░░░░▯   ▮      ▯ the present   ▮ there are timers   ░ past
//
// Next: `axes.js`.

// ---- Arithmetic -------------------------------------------------------------------------------

// When tick 0 was: nanoseconds since the executor was made. On a clock that runs, a timer has said
// so.
let tick0 = 0;

// A deadline is rounded up to ticks of a microsecond and the present down.
function ticks(nanoseconds) {
  return Math.max(0, Math.floor((nanoseconds - tick0) / 1000));
}

function deadlineTicks(nanoseconds) {
  return Math.max(0, Math.min(Math.ceil((nanoseconds - tick0) / 1000), LAST_TICK));
}

// The wheel has 64 bits for a tick. (It is the largest number below 2^64 that JavaScript has.)
const LAST_TICK = 2 ** 64 - 2 ** 11;

// The level is the highest digit, to the base 64, in which a deadline differs from the present.
// That digit of the deadline is its slot. (Division instead of shifts: those of JavaScript have 32
// bits.)
function wheelPlace(present, deadline) {
  let [level, now, then] = [0, present, deadline];
  while (Math.floor(now / 64) !== Math.floor(then / 64)) {
    now = Math.floor(now / 64);
    then = Math.floor(then / 64);
    level += 1;
  }
  return { level, slot: then % 64 };
}

// The place of each timer that is armed, by its number. One that is due is shown at the present.
function placesOnWheel(state) {
  const present = ticks(state.now);
  const places = new Map();
  for (const { timer, deadline, armed } of state.timers.values()) {
    if (armed === null) continue;
    const tick = deadlineTicks(deadline);
    const due = tick <= present;
    const place = due ? { level: 0, slot: present % 64 } : wheelPlace(present, tick);
    places.set(timer, { ...place, due });
  }
  return places;
}

// The timers that are on a lower level than they were: on which they were.
function cascadedSince(earlier, places) {
  const cascaded = new Map();
  for (const [timer, { level, due }] of places) {
    const before = earlier.get(timer);
    if (before && !due && level < before.level) cascaded.set(timer, before.level);
  }
  return cascaded;
}

function bySlot(timers, places) {
  const slots = new Map();
  for (const timer of timers) {
    const { level, slot } = places.get(timer.timer);
    const key = `${level}.${slot}`;
    if (slots.has(key)) slots.get(key).push(timer);
    else slots.set(key, [timer]);
  }
  return slots;
}

function digitsOf(tick, levels) {
  const digits = [];
  for (let rest = tick; digits.length < levels; rest = Math.floor(rest / 64)) {
    digits.push(rest % 64);
  }
  return digits;
}

// How long one slot of this level is: "4 ms".
function slotSpan(level) {
  const seconds = 64 ** level / 1e6;
  const units = [["years", 31556952], ["days", 86400], ["h", 3600], ["min", 60], ["s", 1],
    ["ms", 1e-3], ["µs", 1e-6]];
  const [unit, size] = units.find(([, size]) => seconds >= size);
  return `${Math.round(seconds / size)} ${unit}`;
}

// ---- Drawing ----------------------------------------------------------------------------------

const [SLOT_WIDTH, LEVEL_HEIGHT, LEVEL_NAMES] = [4, 19, 62];

function slotX(slot) {
  return LEVEL_NAMES + slot * SLOT_WIDTH;
}

function drawWheel(armed, places, cascaded, now, highestLevel, words) {
  const levels = Math.max(highestLevel, 2) + 1;
  const slots = bySlot(armed, places);
  const marks = [...slots].map(([key, timers]) => {
    const place = places.get(timers[0].timer);
    const moved = timers.some(({ timer }) => cascaded.has(timer));
    return drawSlot(key, place, moved, timers, hasRoom(slots, place), words);
  });
  const bottom = levels * LEVEL_HEIGHT + 11;
  const numbers = [0, 16, 32, 48, 63].map((slot) =>
    svg("text", { x: slotX(slot + 0.5), y: bottom, "text-anchor": "middle" }, String(slot)));
  const text = armed.length === 0 ? "The timing wheel is empty." :
    `The timing wheel, with ${times(armed.length, "timer")}. The list below says the same.`;
  return svg("svg", { viewBox: `0 0 ${slotX(64) + 6} ${bottom + 3}`, class: "wheel", role: "img",
    "aria-label": text }, digitsOf(ticks(now), levels).map(drawLevel), numbers, marks);
}

function drawLevel(present, level) {
  const y = level * LEVEL_HEIGHT + 2;
  return [
    svg("text", { x: 0, y: y + 10.5 }, `${level}: ${slotSpan(level)}`),
    svg("rect", { x: slotX(0), y, width: present * SLOT_WIDTH, height: 13, class: "past" }),
    svg("rect", { x: slotX(0), y, width: 64 * SLOT_WIDTH, height: 13, class: "frame" }),
    svg("rect", { x: slotX(present) - 0.5, y: y - 1, width: SLOT_WIDTH + 1, height: 15,
      class: "present" }),
  ];
}

function drawSlot(key, { level, slot, due }, moved, timers, hasRoom, words) {
  const [x, y] = [slotX(slot), level * LEVEL_HEIGHT + 2];
  const count = timers.length > 1 && hasRoom ?
    svg("text", { x: x + SLOT_WIDTH + 2, y: y + 10 }, `×${timers.length}`) : null;
  const classes = `slot${due ? " due" : ""}${moved ? " moved" : ""}`;
  return svg("g", { "data-slot": key, class: classes },
    svg("title", {}, slotWords(level, slot, timers, words)),
    svg("rect", { x, y: y + 1, width: SLOT_WIDTH, height: 11 }), count,
    svg("rect", { x: x - 3, y: y - 2, width: SLOT_WIDTH + 6, height: 17, class: "around" }));
}

// Whether a number can be written beside the slot.
function hasRoom(slots, { level, slot }) {
  return [1, 2, 3, 4, 5].every((more) => slot + more < 64 && !slots.has(`${level}.${slot + more}`));
}

function slotWords(level, slot, timers, words) {
  const lines = firstOf(timers, 5).map(({ timer, deadline, wakes }) =>
    `timer ${timer}, due at ${clockTime(deadline)}` +
    (wakes === null ? "" : `, wakes ${words.shortNameOf(wakes)}`));
  if (timers.length > 5) lines.push(`and ${timers.length - 5} more`);
  return [`level ${level}, slot ${slot}`, ...lines].join("\n");
}
