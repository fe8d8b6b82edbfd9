// Keeps every [data-live] region fresh: the server says that calls changed, the page is read again and those regions are
// replaced; so it is when another script says by the event "stale" that it has changed something. While the server can't say so, the
// page is read every few seconds. A region says where it is read from when that may be another address than the browser's: a form
// that was refused is answered with the page at the form's own.

import { localize } from "./times.js";

const QUIET = 1000; // least time between two readings
const POLL = 5000; // while there is no stream
const DOUBT = 30000; // with a stream: a notice may be lost
const first = document.querySelector("main [data-live]");
const seen = new Map();
let streaming = false;
let reading = false;
let wanted = false;
let last = Date.now();

function show(connected) {
  const state = document.getElementById("link-state");
  if (!state) return;
  state.hidden = false;
  state.className = connected ? "link-state ok" : "link-state down";
  state.textContent = connected ? "Updating live" : "Reconnecting …";
}

// How a link, a button or a field is found again in the region that replaces its own.
function sameAs(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  const name = ["href", "aria-label"].find((attribute) => element.getAttribute(attribute));
  if (name) return `[${name}="${CSS.escape(element.getAttribute(name))}"]`;
  return element.form ? `form[action="${CSS.escape(element.form.getAttribute("action"))}"] button` : null;
}

// What was ticked stays so, unless it can't be chosen any more.
function tick(field) {
  if (field && !field.disabled) field.checked = true;
}

function replace(fresh) {
  for (const region of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(region.id);
    if (!next || seen.get(region.id) === next.outerHTML) continue;
    seen.set(region.id, next.outerHTML);
    const focused = region.contains(document.activeElement) ? sameAs(document.activeElement) : null;
    const scrolled = region.querySelector(".scroller")?.scrollLeft ?? 0;
    const ticked = [...region.querySelectorAll("input:checked")].map((one) => one.id);
    const adopted = document.adoptNode(next);
    region.replaceWith(adopted);
    localize(adopted);
    for (const id of ticked) tick(document.getElementById(id));
    const scroller = adopted.querySelector(".scroller");
    if (scroller) scroller.scrollLeft = scrolled;
    if (focused) adopted.querySelector(focused)?.focus();
  }
}

async function read() {
  if (reading || document.hidden) {
    wanted = true;
    return;
  }
  reading = true;
  wanted = false;
  try {
    const answer = await fetch(first.dataset.live || location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) return location.reload();
    if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
    show(answer.ok);
  } catch {
    show(false);
  }
  last = Date.now();
  await new Promise((resolve) => setTimeout(resolve, QUIET));
  reading = false;
  if (wanted) read();
}

function follow() {
  const stream = new EventSource("/live/events");
  stream.addEventListener("open", () => {
    if (streaming) return;
    streaming = true;
    show(true);
    read();
  });
  stream.addEventListener("calls", read);
  stream.addEventListener("error", () => {
    streaming = false;
    show(false);
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, POLL);
  });
}

if (first) {
  follow();
  document.addEventListener("stale", read);
  setInterval(() => {
    if (Date.now() - last > (streaming ? DOUBT : POLL)) read();
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && wanted) read();
  });
}
