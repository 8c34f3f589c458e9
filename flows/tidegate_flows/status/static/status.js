"use strict";
// Comforts only: all pages work without. A button that copies a command, and a fresh page for who comes back to one
// that was asked for and not sent: to load that again would send it again.
for (const block of document.querySelectorAll("pre.command")) {
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  block.append(button);
}
const opened = Date.now(), got = "got" in document.documentElement.dataset;
let touched = false;
addEventListener("input", () => { touched = true; });
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && got && !touched && Date.now() - opened > 60000) location.reload();
});
