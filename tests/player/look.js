// What a test wants to know of a page as a whole, beyond what a line of JavaScript can ask.
"use strict";

const look = {
  // The elements that can be seen and have text of their own.
  texts() {
    return [...document.body.querySelectorAll("*")].filter((element) => {
      const own = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "",
      );
      return own && look.isSeen(element);
    });
  },

  isSeen(element) {
    const box = element.getBoundingClientRect();
    return element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) &&
      box.width > 1 && box.height > 1;
  },

  // Whatever can be operated.
  controls() {
    const all = document.querySelectorAll(
      "button, input, select, summary, a[href], [tabindex]:not([tabindex='-1'])",
    );
    return [...all].filter((control) => look.isSeen(control) && !control.disabled);
  },

  describe(element) {
    const text = (element.innerText || "").trim().slice(0, 30);
    return `<${element.localName} id="${element.id}" class="${element.classList}">${text}`;
  },

  // What is wider than the place it is in, so that one would have to scroll sideways to see it.
  tooWide() {
    const isTooWide = (one) => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1;
    const all = [...document.body.querySelectorAll("*")].filter(look.isSeen);
    const places = all.filter((one) => getComputedStyle(one).overflowX !== "visible");
    const wide = [...places, document.documentElement].filter(isTooWide);
    return wide.map((place) => {
      const right = place.getBoundingClientRect().left + place.clientWidth;
      const out = all.filter((one) => place.contains(one) && look.rightOf(one) > right + 1);
      return `${look.describe(place)} is too narrow for ${out.map(look.describe).join(", ")}`;
    });
  },

  // How far an element or its text reaches.
  rightOf(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    return Math.max(...[element, range].map((one) => one.getBoundingClientRect().right));
  },

  // Texts that are hard to read: their contrast, by the formula of WCAG 2.
  faint() {
    const faint = [];
    for (const element of look.texts()) {
      const style = getComputedStyle(element);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
      const behind = look.background(element);
      const [r, g, b, alpha] = look.color(style.color);
      const ink = look.over([r, g, b, alpha * look.opacity(element)], behind);
      const ratio = look.contrast(ink, behind);
      if (ratio < (large ? 3 : 4.5) && !element.closest(":disabled, [aria-disabled=true]")) {
        faint.push(`${ratio.toFixed(2)}: ${look.describe(element)}`);
      }
    }
    return faint;
  },

  // The color behind an element: all that is under it, the lowest first, laid over white.
  background(element) {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(look.color(getComputedStyle(at).backgroundColor));
    }
    return layers.reduceRight((under, layer) => look.over(layer, under), [255, 255, 255, 1]);
  },

  opacity(element) {
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) opacity *= getComputedStyle(at).opacity;
    return opacity;
  },

  over([r, g, b, alpha], under) {
    const mix = (top, nth) => top * alpha + under[nth] * (1 - alpha);
    return [mix(r, 0), mix(g, 1), mix(b, 2), 1];
  },

  // In whichever way CSS writes a color: red, green, blue up to 255, and alpha up to 1.
  color(text) {
    if (!look.colors.has(text)) {
      look.colors.set(text, look.pixel((context) => {
        context.fillStyle = text;
        context.fillRect(0, 0, 1, 1);
      }));
    }
    return look.colors.get(text);
  },

  colors: new Map(), // by text: a page has few, and many elements

  // In the lower left corner of a drawing.
  corner(canvas) {
    return look.pixel((context) => context.drawImage(canvas, -2, 2 - canvas.height));
  },

  // The color of what is drawn at the origin. Each time on a canvas of its own: the browser warns
  // of one that is read twice.
  pixel(draw) {
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    draw(context);
    const [r, g, b, alpha] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, alpha / 255];
  },

  luminance(color) {
    const [r, g, b] = color.slice(0, 3).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  },

  contrast(one, other) {
    const [dark, light] = [look.luminance(one), look.luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  },
};
