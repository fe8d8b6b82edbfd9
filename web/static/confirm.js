// Asks before a form is sent that takes something away. Without it the form is sent at once. Parts of a page may be replaced while
// it is looked at, so it listens to the whole page.

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-confirm]");
  if (button && !confirm(button.dataset.confirm)) event.preventDefault();
});

document.addEventListener("submit", (event) => {
  if (event.target.dataset.confirm && !confirm(event.target.dataset.confirm)) event.preventDefault();
});
