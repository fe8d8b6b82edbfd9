// A player beside a choice of prompts, for those that can be heard.

for (const choice of document.querySelectorAll("select[data-listen]")) {
  const player = document.getElementById(choice.dataset.listen);
  const follow = () => {
    const audio = choice.selectedOptions[0]?.dataset.audio;
    player.pause();
    player.hidden = !audio;
    if (audio) player.src = audio;
    else player.removeAttribute("src");
  };
  choice.addEventListener("change", follow);
  follow();
}
