// Shows moments in words, in the installation's time zone, and counts what is going on. Without it the page shows them in digits.

const zone = document.documentElement.dataset.timeZone;
const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const day = { day: "numeric", month: "short" };
const [time, thisYear, otherYear, year] = [clock, { ...day, ...clock }, { ...day, year: "numeric", ...clock }, { year: "numeric" }].map(formatter);
let ahead = 0; // how far the server's clock is before this one, in milliseconds

function formatter(parts) {
  try {
    return new Intl.DateTimeFormat(undefined, { ...parts, timeZone: zone });
  } catch {
    return null; // a zone that this browser does not know: the digits stay
  }
}

function length(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function words(moment, format) {
  if (format === "time") return time.format(moment);
  const isThisYear = year.format(moment) === year.format(new Date(Date.now() + ahead));
  return (isThisYear ? thisYear : otherYear).format(moment);
}

function count() {
  for (const element of document.querySelectorAll("[data-since]")) {
    element.textContent = length((Date.now() + ahead - Date.parse(element.dataset.since)) / 1000);
  }
}

export function localize(root) {
  const now = root.closest("[data-now]") ?? root.querySelector("[data-now]");
  if (now) ahead = Date.parse(now.dataset.now) - Date.now();
  for (const element of time ? root.querySelectorAll("time[data-format]") : []) {
    element.textContent = words(new Date(element.dateTime), element.dataset.format);
  }
  count();
}

localize(document.documentElement);
setInterval(count, 1000);
