// Uploads with progress, and errors shown without leaving the page. Without it the forms are sent as forms are.

function refuse(form, message) {
  const error = form.querySelector("[data-error]");
  error.textContent = message;
  error.hidden = false;
}

function refusalIn(text) {
  const answer = new DOMParser().parseFromString(text, "text/html");
  const said = [...answer.querySelectorAll("[data-error]")].map((error) => error.textContent.trim()).find(Boolean);
  return said ?? "The upload was refused.";
}

function send(form) {
  const request = new XMLHttpRequest();
  const progress = form.querySelector("progress");
  const button = form.querySelector("button");
  const rest = () => {
    progress.hidden = true;
    button.disabled = false;
  };
  request.upload.addEventListener("progress", (event) => {
    // Converting takes its time once all has been sent: then the bar has no value.
    if (event.loaded < event.total) progress.value = event.loaded / event.total;
    else progress.removeAttribute("value");
  });
  request.addEventListener("load", () => {
    if (request.status === 200) return location.assign(request.responseURL), location.reload();
    rest();
    refuse(form, refusalIn(request.responseText));
  });
  request.addEventListener("error", () => {
    rest();
    refuse(form, "The upload was broken off. Is the server running?");
  });
  progress.hidden = false;
  button.disabled = true;
  request.open("POST", form.action);
  request.send(new FormData(form));
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const file = form.querySelector("input[type=file]").files[0];
    if (file.size > Number(form.dataset.largest)) return refuse(form, "This file is larger than 10 MB.");
    send(form);
  });
}
