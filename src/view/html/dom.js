// The whole page is one script; this file is its beginning. What comes from the capture is put into
// the document as text or as an attribute's value, never as markup: there is no innerHTML here.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);

// Sets attributes; a function is a listener, false and null leave out, "text" is the content.
function dress(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const el = (tag, attributes, ...children) =>
  dress(document.createElement(tag), attributes, children);

const svg = (tag, attributes, ...children) =>
  dress(document.createElementNS(SVG, tag), attributes, children);

function clear(node) {
  node.replaceChildren();
  return node;
}

// Text as somebody can see it: control characters, line ends and what turns the direction of
// writing around become visible signs. keep: characters to leave alone.
function visible(text, keep = "") {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (c) => {
      const code = c.charCodeAt(0);
      if (keep.includes(c)) return c;
      if (code < 32) return String.fromCharCode(0x2400 + code);
      if (code === 127) return "␡";
      return "⟨" + code.toString(16).toUpperCase().padStart(4, "0") + "⟩";
    });
}

function cutText(text, most) {
  return text.length > most ? text.slice(0, most - 1) + "…" : text;
}

// A duration in ns as a person would say it.
function duration(ns) {
  const size = Math.abs(ns);
  const three = (x) => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));
  if (size < 1e3) return ns.toFixed(0) + " ns";
  if (size < 1e6) return three(ns / 1e3) + " µs";
  if (size < 1e9) return three(ns / 1e6) + " ms";
  return three(ns / 1e9) + " s";
}

const plural = (n, one, many = one + "s") => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

function byteSize(n) {
  if (n < 10000) return plural(n, "byte");
  if (n < 1e6) return (n / 1e3).toFixed(1) + " kB";
  return (n / 1e6).toFixed(1) + " MB";
}

// The first index in [0, count) where test holds; count if there is none. test must be monotonic.
function firstWhere(count, test) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

// Brings a part of a scrolling box into sight, and does not move the page.
function reveal(box, top, height) {
  const margin = Math.min(60, box.clientHeight / 4);
  if (top < box.scrollTop + margin || top + height > box.scrollTop + box.clientHeight - margin)
    box.scrollTop = Math.max(0, top + height / 2 - box.clientHeight / 2);
}

function revealNode(box, node) {
  const top = node.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;
  reveal(box, top, node.offsetHeight);
}
