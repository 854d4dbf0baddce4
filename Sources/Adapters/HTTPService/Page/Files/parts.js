// Small parts that views are made of. Text is always text: nothing that a user wrote becomes markup.

export function make(tag, attributes = {}, ...children) {
  const isDrawing = ["svg", "g", "rect", "line", "text", "polyline", "circle", "title"].includes(tag);
  const element = isDrawing
    ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

// Puts parts in the place of what is there; those that are null are not there.
export function show(element, ...parts) { element.replaceChildren(...parts.flat().filter((part) => part != null)); }

// What could not be read is said where it would stand.
export const tellTrouble = (element, error) => show(element, make("p", { class: "empty" }, error.message));

export function tableOf(heads, rows, numeric = []) {
  const kind = (place) => ({ class: numeric.includes(place) ? "n" : null });
  return make("table", {},
    make("thead", {}, make("tr", {}, heads.map((head, place) => make("th", { scope: "col", ...kind(place) }, head)))),
    make("tbody", {}, rows.map((row) => make("tr", {}, row.map((cell, place) => make("td", kind(place), cell))))));
}

export function facts(pairs) {
  return make("dl", { class: "facts" }, pairs
    .filter(([, value]) => value != null && value !== "")
    .map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

export function bar(part, whole, label) {
  const fill = make("i");
  const share = whole > 0 ? Math.min(1, part / whole) : 0;
  fill.style.width = `${100 * share}%`;
  return make("div", { class: "bar", role: "img", "aria-label": label }, fill);
}

export const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Colours that people with any colour sense tell apart (Okabe and Ito), by the place of a name.
const hues = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#b2a300"];
export const hue = (place) => hues[place % hues.length];

// cn[0000-0002,0007],mt1 → names.
export function expandHosts(text) {
  const names = [];
  const pattern = /([^,[\]]+)(?:\[([^\]]*)\])?/g;
  for (const [, prefix, inside] of (text || "").matchAll(pattern)) {
    if (inside == null) { names.push(prefix); continue; }
    for (const part of inside.split(",")) {
      const [from, to = from] = part.split("-");
      for (let number = Number(from); number <= Number(to); number += 1) {
        names.push(prefix + String(number).padStart(from.length, "0"));
      }
    }
  }
  return names;
}
