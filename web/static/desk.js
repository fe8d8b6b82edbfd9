// An operator's page: shows how his phone is, and plays the ringtone while it rings, on a device of his choice. The server says
// the state of the phone; each ringing plays for a limited time, and stops at once when the phone is answered or stops ringing.

const KEPT = "attendant.ringtone.device";
const TEST = 3000; // milliseconds
const AGAIN = 5000; // until the stream is opened again after the server has refused it
const audio = document.getElementById("ringtone");
const limit = Number(audio.dataset.seconds) * 1000;
const device = document.getElementById("device");
const trouble = document.getElementById("device-trouble");
const permit = document.getElementById("permit");
const silent = document.getElementById("silent");
const said = document.getElementById("ring-state");
const state = document.getElementById("state");
const devices = navigator.mediaDevices;
const canChoose = "setSinkId" in HTMLMediaElement.prototype;
let ringing = false;
let timer = null;
let turn = 0; // counts what was begun and ended, so that a sound whose device was long in coming knows that it is not wanted any more
let deviceSet = Promise.resolve();

function tell(element, text) {
  element.textContent = text;
  element.hidden = !text;
}

function kept() {
  try {
    return localStorage.getItem(KEPT) ?? "";
  } catch {
    return ""; // the browser keeps nothing
  }
}

function keep(id) {
  try {
    localStorage.setItem(KEPT, id);
  } catch {
    tell(trouble, "This browser does not keep the choice: it is lost when you leave the page.");
  }
}

// One after the other: a browser that is told of two devices at once ends with neither.
function useDevice(id) {
  deviceSet = deviceSet.then(() => setDevice(id));
  return deviceSet;
}

async function setDevice(id) {
  if (!canChoose || audio.sinkId === id) return;
  try {
    await audio.setSinkId(id);
  } catch (error) {
    await audio.setSinkId("").catch(() => {}); // it rings on the one it has
    tell(trouble, error.name === "NotAllowedError" ? "The browser does not let this page use the device. It rings on the standard device." : "The chosen device is not there. It rings on the standard device.");
  }
}

async function play(most, words) {
  stop();
  const mine = turn;
  await useDevice(device.value);
  if (mine !== turn) return;
  try {
    audio.currentTime = 0;
    await audio.play();
    silent.hidden = true;
  } catch (error) {
    if (mine !== turn) return; // it was stopped before it began
    silent.querySelector("span").textContent = error.name === "NotAllowedError" ? "The browser holds back the sound of a page that nobody has used yet. Press the button once, or any other on this page." : "The ringtone can’t be played by this browser.";
    silent.hidden = false;
    return;
  }
  said.textContent = words;
  timer = setTimeout(stop, most);
}

function stop() {
  turn += 1;
  clearTimeout(timer);
  audio.pause();
  said.textContent = "";
}

function show(now) {
  state.dataset.state = now;
  for (const badge of state.querySelectorAll("[data-is]")) badge.hidden = badge.dataset.is !== now;
  if (now === "ringing" && !ringing) play(limit, "Your phone rings.");
  if (now !== "ringing" && ringing) stop();
  ringing = now === "ringing";
}

function follow() {
  const stream = new EventSource("/desk/events");
  stream.addEventListener("state", (event) => show(JSON.parse(event.data).state));
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, AGAIN);
  });
}

async function list() {
  if (!canChoose) return tell(trouble, "This browser plays every sound on the standard device. Chrome, Edge, Opera, and Firefox from version 116 let you choose.");
  if (!devices?.enumerateDevices) return tell(trouble, "Browsers let a page choose devices only over https, or on the machine that serves it. It rings on the standard device.");
  const outputs = (await devices.enumerateDevices()).filter((one) => one.kind === "audiooutput");
  const known = outputs.filter((one) => one.deviceId && one.deviceId !== "default");
  const named = known.every((one) => one.label);
  const wanted = kept();
  device.replaceChildren(new Option(device.options[0].text, ""));
  known.forEach((one, place) => device.append(new Option(one.label || `Device ${place + 1}`, one.deviceId)));
  const found = known.some((one) => one.deviceId === wanted);
  device.value = found ? wanted : "";
  device.disabled = known.length === 0;
  permit.hidden = known.length > 0 && named;
  if (wanted && !found) tell(trouble, "The device that you chose is not there, or the browser does not show it. It rings on the standard device.");
  else if (!known.length || !named) tell(trouble, "The browser names devices only after you have allowed the microphone once. Nothing is recorded.");
  else tell(trouble, "");
  await useDevice(device.value);
}

async function ask() {
  try {
    if (devices.selectAudioOutput) {
      keep((await devices.selectAudioOutput()).deviceId);
    } else {
      for (const track of (await devices.getUserMedia({ audio: true })).getTracks()) track.stop();
    }
  } catch (error) {
    return tell(trouble, error.name === "NotFoundError" ? "The browser found no microphone to ask for. It shows only what it may." : "You did not allow it, so the browser does not name its devices. Allow the microphone for this page in the browser’s settings.");
  }
  await list();
}

device.addEventListener("change", async () => {
  keep(device.value);
  tell(trouble, "");
  await useDevice(device.value);
});
permit.addEventListener("click", ask);
document.getElementById("test").addEventListener("click", () => play(TEST, "This is how it rings."));
document.getElementById("allow-sound").addEventListener("click", () => (ringing ? play(limit, "Your phone rings.") : play(TEST, "This is how it rings.")));
devices?.addEventListener?.("devicechange", list);
list();
follow();
