// Runs before the page is drawn: the theme chosen here, if any, else the system's.
(() => {
  const chosen = localStorage.getItem("siphon-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
