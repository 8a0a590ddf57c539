// Runs before the page is drawn: the theme chosen here, if any, else the system's; then the switch.
(() => {
  const root = document.documentElement;
  const chosen = localStorage.getItem("siphon-theme");
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  const dark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      localStorage.setItem("siphon-theme", root.dataset.theme);
    });
  });
})();
