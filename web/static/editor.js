// The window of an operation: opened in place of its page, and sent without leaving the scenario. Without it, pages do the same.

const dialog = document.getElementById("window-dialog");

function fields(root) {
  for (const form of root.querySelectorAll("form[data-actions]")) {
    const choose = () => {
      for (const part of form.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== form.elements.action.value;
    };
    form.elements.action.addEventListener("change", choose);
    choose();
  }
}

function fill(text) {
  const shown = new DOMParser().parseFromString(text, "text/html").getElementById("window");
  if (!shown) return false;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "plain close";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.replaceChildren(close, document.adoptNode(shown));
  fields(dialog);
  return true;
}

async function open(address) {
  const answer = await fetch(address);
  if (!fill(await answer.text())) return location.assign(address);
  dialog.showModal();
  dialog.querySelector("h2").tabIndex = -1;
  dialog.querySelector("h2").focus();
}

async function send(form) {
  // Not form.action: a field of this name would hide the address.
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.redirected) return location.assign(answer.url.split("#")[0]);
    if (!fill(await answer.text())) location.reload();
    dialog.scrollTop = 0;
  } catch {
    for (const button of buttons) button.disabled = false;
    const said = document.createElement("p");
    said.className = "notice bad";
    said.role = "alert";
    said.textContent = "It was not saved: the server did not answer.";
    form.prepend(said);
  }
}

if (dialog) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-window]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(link.href.baseVal ?? link.href);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (dialog.contains(form)) {
      event.preventDefault();
      send(form);
    } else if (form.matches("[data-opens-window]")) {
      event.preventDefault();
      open(`${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`);
    }
  });
}

for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.confirm)) event.preventDefault();
  });
}
fields(document);
