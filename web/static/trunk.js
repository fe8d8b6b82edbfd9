// Follows a trunk that was just saved until the server says how it is; that also ends it, after its time limit.

const EVERY = 1000;
const region = document.getElementById("connection");

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) return location.reload();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("connection");
    if (answer.ok && fresh && fresh.innerHTML !== region.innerHTML) region.replaceChildren(...fresh.childNodes);
    if (answer.ok && fresh && !fresh.hasAttribute("data-follow")) return;
  } catch {
    // The server may be away for a moment.
  }
  setTimeout(look, EVERY);
}

if (region?.hasAttribute("data-follow")) setTimeout(look, EVERY);
