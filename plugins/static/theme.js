// The theme chosen here, if any, else the system's; and the switch. The choice is kept in a cookie, from
// which the server writes it into our own pages: they are drawn right before any script runs.
(() => {
  const root = document.documentElement;
  const chosen = /(?:^|; )siphon-theme=(light|dark)(?:;|$)/.exec(document.cookie);
  if (chosen) root.dataset.theme = chosen[1];
  const dark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const show = () => {
    const button = document.getElementById("theme");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      document.cookie = `siphon-theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
    });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
  else show();
})();
