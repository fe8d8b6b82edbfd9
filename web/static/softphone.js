// The telephone in an operator's page: SIP over a websocket of this site, sound by WebRTC straight to Asterisk. It is on as long as
// the page is open, this browser may use a microphone, and the server says that the operator telephones with it.

import JsSIP from "/static/built/jssip.js";

const CONNECTION_RECOVERY = { connection_recovery_min_interval: 1, connection_recovery_max_interval: 15 }; // seconds
const REGISTERED_FOR = 300; // seconds
const FIRST_AGAIN = 1000; // milliseconds until a registration that was refused is tried again; then twice as long, up to
const LAST_AGAIN = 15000;
const CHANGED = 4401; // close codes of our socket
const ELSEWHERE = 4409;
const OVERTAKEN = 3000; // milliseconds after the socket was opened
const TURN = "attendant.telephone";
const KEY = /^[0-9*#]$/;
const STAYS = [
  [/^\/missed-calls\/[^/]+\/call-back$/, "This call can’t be made now."],
  [/^\/desk\/(state|end-wrap-up)$/, "Your state can’t be changed so now."],
  [/^\/desk\/call$/, "This call can’t be made now.", "desk-team"],
  [/^\/desk\/calls\/[^/]+\/transfer\/(back|complete)$/, "You do not consult in this call any more."],
]; // with what is said of a refusal, or the part of the page that says it itself
const SOUND = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };
const STATES = {
  off: "Off",
  connecting: "Connecting …",
  ready: "Ready: calls ring here.",
  lost: "The connection is lost. It is tried again by itself.",
};
const ENDED = {
  [JsSIP.C.causes.BUSY]: "Busy.",
  [JsSIP.C.causes.REJECTED]: "The call was refused.",
  [JsSIP.C.causes.NOT_FOUND]: "There is no such number.",
  [JsSIP.C.causes.UNAVAILABLE]: "Nobody can be reached there now.",
  [JsSIP.C.causes.NO_ANSWER]: "Nobody answered.",
  [JsSIP.C.causes.CANCELED]: "The caller has hung up.",
};

const panel = document.getElementById("telephone");
const part = (name) => document.getElementById(`telephone-${name}`);
const sound = part("sound");
let ua = null;
let call = null; // the RTCSession
let since = 0; // when the other side was heard first
let again = FIRST_AGAIN;
let retry = null;
let last = ""; // why the telephone ends with this call
let turn = 0; // counts what was begun and ended, so that an account that was long in coming begins nothing any more
let connected = 0; // when the socket was opened

function show(state) {
  panel.dataset.state = state;
  part("state").textContent = STATES[state];
  part("state").hidden = state === "ready" && call !== null;
  part("dial").hidden = state !== "ready" || call !== null;
}

function trouble(text, button = "", press = null) {
  part("trouble").hidden = !text;
  part("trouble").querySelector("span").textContent = text;
  part("mend").hidden = !button;
  part("mend").textContent = button;
  part("mend").onclick = press;
}

function showCall(state, words) {
  panel.dataset.call = state;
  part("who").textContent = words;
  part("call").hidden = state === "none";
  for (const name of ["answer", "reject"]) part(name).hidden = state !== "rings";
  part("hang-up").hidden = state === "rings";
  for (const name of ["mute", "hold", "keys"]) part(name).hidden = state !== "talks";
  if (state !== "talks") part("time").textContent = "";
  show(panel.dataset.state);
}

// ---- what must be so before the page may be a telephone

function cannot() {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
    return "Browsers give a page the microphone only over https, or on the machine that serves it. Open this page by its https address.";
  }
  return "RTCPeerConnection" in window ? "" : "This browser has no WebRTC, so it can’t telephone.";
}

async function permission() {
  try {
    return await navigator.permissions.query({ name: "microphone" });
  } catch {
    return null; // the browser says nothing before it is asked for the microphone
  }
}

function explain(state) {
  if (state === "denied") trouble("This page may not use the microphone, so no calls come here. Allow it in the browser’s settings for this site (the icon left of the address).");
  else if (state === "granted") trouble("");
  else trouble("The browser will ask whether this page may use the microphone: allow it, so that callers hear you.", "Allow the microphone", askForMicrophone);
}

async function askForMicrophone() {
  try {
    for (const track of (await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks()) track.stop();
    trouble("");
  } catch (error) {
    sayWhyNotHeard(error);
  }
}

function sayWhyNotHeard(error) {
  if (error.name === "NotFoundError") trouble("The browser finds no microphone. Plug one in and try again.", "Try again", askForMicrophone);
  else explain("denied");
}

// ---- the registration

async function account() {
  const answer = await fetch("/desk/telephone.json");
  if (answer.status === 401) return { refused: "Your log-in is over. Log in again, and the telephone is back." };
  if (answer.status === 409) return { refused: (await answer.json()).message };
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}

async function start() {
  if (call) return later(); // to begin anew would end it
  stop();
  const mine = turn;
  show("connecting");
  const given = await account().catch(() => null);
  if (mine !== turn) return;
  if (!given) return later();
  if (given.refused) return finish(given.refused);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const agent = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(`${scheme}://${location.host}/desk/telephone`)],
    uri: `sip:${given.user}@${given.domain}`,
    contact_uri: `sip:${given.user}@${crypto.randomUUID().slice(0, 8)}.invalid;transport=ws`,
    password: given.password,
    register_expires: REGISTERED_FOR,
    session_timers: false,
    ...CONNECTION_RECOVERY,
  });
  const ifMine = (act) => (event) => agent === ua && act(event);
  agent.on("connected", ifMine(() => (connected = Date.now())));
  agent.on("registered", ifMine(registered));
  agent.on("registrationFailed", ifMine(later));
  agent.on("disconnected", ifMine(disconnected));
  agent.on("newRTCSession", ifMine(({ session, originator }) => originator === "remote" && offered(session)));
  ua = agent;
  ua.start();
}

// No more calls come here; one that goes on is not cut off.
function finish(why, button = "", act = null) {
  trouble(why, button, act);
  last = call ? why : "";
  if (call) return;
  stop();
  show("off");
}

function stop() {
  turn += 1;
  clearTimeout(retry);
  const before = ua;
  ua = null;
  before?.stop();
}

function registered() {
  clearTimeout(retry);
  again = FIRST_AGAIN;
  show("ready");
}

// Perhaps the account is not there yet, or is another one by now.
function later() {
  show("lost");
  clearTimeout(retry);
  retry = setTimeout(start, again);
  again = Math.min(again * 2, LAST_AGAIN);
}

async function disconnected({ code }) {
  show("lost");
  if (code === CHANGED) return start();
  if (code === ELSEWHERE && Date.now() - connected < OVERTAKEN) return later(); // by the window before, on its way out
  if (code === ELSEWHERE) return givenAway(start);
  try {
    const given = await account();
    if (given.refused) finish(given.refused); // else the connection is tried again by itself
  } catch {
    // the server can't be reached
  }
}

// ---- which window is the telephone

function givenAway(takeBack) {
  stop();
  show("off");
  trouble("Another window of yours is the telephone.", "Telephone in this window", () => {
    trouble("");
    takeBack();
  });
}

// One window of this browser is the telephone; the others wait until it is closed, or take its place.
async function takeTurn(begin, steal = false) {
  const { held } = await navigator.locks.query();
  const ask = () => takeTurn(begin, true);
  if (!steal && held.some(({ name }) => name === TURN)) givenAway(ask);
  const forever = new Promise(() => {});
  navigator.locks.request(TURN, { steal }, () => {
    trouble("");
    begin();
    return forever;
  }).catch(() => givenAway(ask));
}

// ---- a call

// Asterisk names the addresses of its network cards; where phones reach it (through NAT, in a container, on the machine itself) is
// the address of the whole description.
function withItsAddress(description) {
  const address = description.match(/^c=IN IP[46] (\S+)/m)?.[1];
  const port = description.match(/^m=audio (\d+)/m)?.[1];
  if (!address || !port || description.includes(` ${address} ${port} typ host`)) return description;
  return `${description.trimEnd()}\r\na=candidate:attendant 1 UDP 2130706431 ${address} ${port} typ host\r\n`;
}

function follow(session, words) {
  call = session;
  since = 0;
  session.on("sdp", (event) => {
    if (event.originator === "remote") event.sdp = withItsAddress(event.sdp);
  });
  const listen = (connection) => connection.addEventListener("track", ({ track }) => {
    sound.srcObject = new MediaStream([track]);
  });
  if (session.connection) listen(session.connection);
  else session.on("peerconnection", ({ peerconnection }) => listen(peerconnection));
  session.on("getusermediafailed", sayWhyNotHeard);
  session.on("confirmed", () => {
    trouble("");
    since ||= Date.now();
    showCall("talks", words);
    part("hang-up").focus();
    tick();
  });
  session.on("ended", () => over(session, ""));
  session.on("failed", ({ originator, cause }) => over(session, originator === "local" ? "" : (ENDED[cause] ?? `The call failed: ${cause}.`)));
}

function offered(session) {
  if (call) return session.terminate({ status_code: 486 });
  const { display_name: name, uri } = session.remote_identity;
  const words = name && name !== uri.user ? `${uri.user}, ${name}` : uri.user;
  follow(session, words);
  showCall("rings", words);
  part("answer").focus();
}

function over(session, words) {
  if (session !== call) return;
  call = null;
  sound.srcObject = null;
  for (const name of ["mute", "hold"]) pressed(name, false);
  part("digits").textContent = "";
  showCall("none", "");
  part("ended").textContent = words;
  if (last) finish(last);
}

function tick() {
  if (!call || !since) return;
  const seconds = Math.floor((Date.now() - since) / 1000);
  part("time").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  setTimeout(tick, 1000);
}

function press(key) {
  if (panel.dataset.call !== "talks") return;
  call.sendDTMF(key, { transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833 });
  part("digits").textContent += key;
}

function mute() {
  const muted = !call.isMuted().audio;
  if (muted) call.mute({ audio: true });
  else call.unmute({ audio: true });
  pressed("mute", muted);
}

// The other side hears music meanwhile.
function hold() {
  if (call.isOnHold().local) call.unhold();
  else call.hold();
  pressed("hold", call.isOnHold().local);
}

function pressed(name, is) {
  part(name).setAttribute("aria-pressed", String(is));
}

function dial(event) {
  event.preventDefault();
  const number = part("number").value.replaceAll(/[^0-9*#+]/g, "");
  if (!number || call || !ua) return;
  part("ended").textContent = "";
  part("number").value = "";
  const session = ua.call(number, SOUND);
  follow(session, number);
  showCall("calls", number);
}

// What is asked for on this page must leave it open: its calls would end, and one that is asked for rings here.
async function stay(event) {
  const [, refused, region] = STAYS.find(([path]) => path.test(new URL(event.target.action).pathname)) ?? [];
  if (!refused) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target, event.submitter));
  const answer = await fetch(event.target.action, { method: "POST", body, redirect: region ? "follow" : "manual" });
  const said = region ? renew(region, await answer.text()) : answer.type === "opaqueredirect";
  part("ended").textContent = said ? "" : refused;
  document.dispatchEvent(new Event("stale"));
}

// Whether the answer has this part of the page; it is shown then.
function renew(region, answer) {
  const fresh = new DOMParser().parseFromString(answer, "text/html").getElementById(region);
  if (!fresh) return false;
  document.getElementById(region).replaceWith(document.adoptNode(fresh));
  document.getElementById(region).querySelector("[autofocus]")?.focus();
  return true;
}

// A link to elsewhere would take the telephone away.
function openBeside({ target }) {
  const link = target.closest("a[href]");
  if (link && ua && !link.getAttribute("href").startsWith("#")) link.target = "_blank";
}

part("answer").addEventListener("click", () => call?.answer(SOUND));
part("reject").addEventListener("click", () => call?.terminate({ status_code: 486 }));
part("hang-up").addEventListener("click", () => call?.terminate());
part("mute").addEventListener("click", mute);
part("hold").addEventListener("click", hold);
part("keys").addEventListener("click", ({ target }) => target.dataset.key && press(target.dataset.key));
part("dial").addEventListener("submit", dial);
document.addEventListener("submit", stay);
document.addEventListener("click", openBeside);
document.addEventListener("keydown", (event) => {
  const typed = event.target.closest("input, select, textarea") || event.ctrlKey || event.altKey || event.metaKey;
  if (!typed && KEY.test(event.key)) press(event.key);
});
addEventListener("beforeunload", (event) => call && event.preventDefault());

async function open() {
  const why = cannot();
  if (why) {
    trouble(why);
    return show("off");
  }
  const microphone = await permission();
  const obey = () => {
    explain(microphone?.state);
    if (microphone?.state !== "denied") return ua || start();
    stop();
    show("off");
  };
  takeTurn(() => {
    microphone?.addEventListener("change", obey);
    obey();
  });
}

showCall("none", "");
open();
