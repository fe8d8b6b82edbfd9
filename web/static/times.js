// Shows moments in the viewer's time zone and counts what is going on. Without it the page shows UTC.

const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const day = { day: "numeric", month: "short" };
const time = new Intl.DateTimeFormat(undefined, clock);
const thisYear = new Intl.DateTimeFormat(undefined, { ...day, ...clock });
const otherYear = new Intl.DateTimeFormat(undefined, { ...day, year: "numeric", ...clock });
let ahead = 0; // how far the server's clock is before this one, in milliseconds

function length(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function words(moment, format) {
  if (format === "time") return time.format(moment);
  const isThisYear = moment.getFullYear() === new Date(Date.now() + ahead).getFullYear();
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
  for (const element of root.querySelectorAll("time[data-format]")) {
    element.textContent = words(new Date(element.dateTime), element.dataset.format);
  }
  for (const element of root.querySelectorAll("[data-zone]")) {
    element.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
  count();
}

localize(document.documentElement);
setInterval(count, 1000);
