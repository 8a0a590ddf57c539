// What test_pages.py asks of a page in the browser.
(() => {
window.outOfOrder = () => {
  const wrong = [];
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) wrong.push(`id twice: ${id}`);
  if (!document.documentElement.lang) wrong.push("no language");
  if (!document.title.trim()) wrong.push("no title");
  if (document.querySelectorAll("main").length !== 1) wrong.push("not one main");
  for (const one of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!one.labels.length && !one.getAttribute("aria-label")) wrong.push(`no label: ${one.name}`);
  }
  for (const one of document.querySelectorAll("a[href], button, summary")) {
    if (!one.checkVisibility()) continue;
    if (!(one.textContent.trim() || one.getAttribute("aria-label"))) wrong.push(`no name: ${one.outerHTML.slice(0, 80)}`);
  }
  for (const one of document.querySelectorAll("nav, aside, section.transcript, [role=region]")) {
    if (!one.getAttribute("aria-label")) wrong.push(`no name: ${one.outerHTML.slice(0, 80)}`);
  }
  for (const one of document.querySelectorAll("svg")) {
    if (one.closest("[role=graphics-document][aria-label]")) continue;
    if (one.getAttribute("aria-hidden") !== "true" && !one.getAttribute("aria-label")) wrong.push("svg without name");
  }
  const first = document.querySelector("a");
  if (!first || first.getAttribute("href") !== "#main") wrong.push("no skip link first");
  return wrong;
};
})();
