// The elements: how this page makes them, and puts new ones in the place of old ones.
//
// Everything that a program's user can name (tasks, marks, values) becomes a text node in a `<bdi>`
// of its own: nothing of it is ever read as HTML, and a name that is written from right to left
// does not turn the line around.
//
// Next: `panels.js`.

// An element: h("p", { class: "note" }, "text", h("b", {}, "bold")).
function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// The same for a drawing.
function svg(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

// Attributes that are functions are called for the event of that name.
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...listOf(children));
  return element;
}

// Children may be lists of lists, and `null` is none.
function listOf(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== "");
}

// What somebody has named.
function named(text, atMost) {
  return h("bdi", {}, shortened(printable(text), atMost));
}

function code(text) {
  return h("code", {}, named(text, 300));
}

function note(...text) {
  return h("p", { class: "note" }, text);
}

// A list of the first few, which says how many more there are.
function list(tag, className, items, row, what) {
  if (items.length === 0) return null;
  const rows = items.slice(0, MOST_ROWS).map(row);
  const more = items.length - rows.length;
  return h(tag, { class: className }, rows,
    more > 0 ? h("li", { class: "note" }, `and ${more} more ${what}`) : null);
}

const MOST_ROWS = 40;

// ---- In place of the old ----------------------------------------------------------------------

// Shows these contents in the panel. What had the focus has it again, if it is still there: it is
// known by its `data-key`.
function show(panel, ...contents) {
  const focused = panel.contains(document.activeElement) ? document.activeElement : null;
  replaceWhatDiffers(panel, listOf(contents));
  if (!focused || focused.isConnected) return;
  const again = [...panel.querySelectorAll("[data-key]")]
    .find((one) => one.dataset.key === focused.dataset.key);
  (again || panel).focus({ preventScroll: true });
}

// Most of a panel is as it was a step ago, and making elements is cheap: it is laying them out that
// takes time. So what is the same stays where it is, and only the rest is replaced.
function replaceWhatDiffers(parent, fresh) {
  const old = [...parent.childNodes];
  fresh.forEach((child, nth) => {
    const node = typeof child === "string" ? document.createTextNode(child) : child;
    if (nth >= old.length) parent.append(node);
    else if (isSameList(old[nth], node)) replaceWhatDiffers(old[nth], [...node.childNodes]);
    else if (!old[nth].isEqualNode(node)) old[nth].replaceWith(node);
  });
  old.slice(fresh.length).forEach((node) => node.remove());
}

function isSameList(one, other) {
  return /^[uo]l$/i.test(one.nodeName) && one.cloneNode().isEqualNode(other.cloneNode());
}
