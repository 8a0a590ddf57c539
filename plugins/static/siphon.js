// On every page: local times, copying, and the keys. Nothing here is needed to read.
"use strict";

const say = (text) => {
  const box = document.getElementById("said");
  box.textContent = text;
  box.classList.add("on");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => box.classList.remove("on"), 2200);
};

const copy = async (text, what) => {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    say("The browser did not let me copy");
  }
};

const localTimes = (root) => {
  const day = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
  // A day of the lists is a UTC day, whatever the clock here says.
  const calendar = new Intl.DateTimeFormat(undefined, { weekday: "long", year: "numeric", month: "long", day: "numeric", timeZone: "UTC" });
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title ||= `${time.textContent} UTC`;
    const form = time.dataset.form;
    if (form === "day") time.textContent = calendar.format(at);
    else if (form === "short") time.textContent = day.format(at);
    else time.textContent = form === "long" ? `${day.format(at)}, ${clock.format(at)}` : clock.format(at);
  }
};

// Rows or messages that j and k step through; each page's own, in order.
const steps = () => [...document.querySelectorAll("[data-step], .said, .call, .aside, .divider")];

const step = (by) => {
  const all = steps();
  if (!all.length) return;
  const line = 90;
  let place = all.indexOf(document.activeElement.closest("[data-step], .said, .call, .aside, .divider"));
  if (place < 0) place = all.findIndex((one) => one.getBoundingClientRect().top >= line) - (by > 0 ? 1 : 0);
  const next = all[Math.max(0, Math.min(all.length - 1, place + by))];
  (next.matches("a, [tabindex]") ? next : next.querySelector("summary, a") || next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  const box = next.getBoundingClientRect();
  if (box.top < line || box.bottom > innerHeight) scrollBy(0, box.top - line);
};

const KEYS = {
  "/": ["search", () => document.querySelector("#q, #bar-q")?.focus()],
  j: ["next row or message", () => step(1)],
  k: ["the one before", () => step(-1)],
  "?": ["these keys", () => showKeys()],
};

const showKeys = () => {
  let dialog = document.getElementById("keys");
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.id = "keys";
    dialog.className = "card";
    const title = document.createElement("h2");
    title.textContent = "Keys";
    const list = document.createElement("dl");
    list.className = "rows wide";
    for (const [key, [what]] of Object.entries(KEYS)) {
      const name = document.createElement("dt");
      name.append(Object.assign(document.createElement("kbd"), { textContent: key }));
      list.append(name, Object.assign(document.createElement("dd"), { textContent: what }));
    }
    dialog.append(title, list);
    dialog.addEventListener("click", () => dialog.close());
    document.body.append(dialog);
  }
  dialog.showModal();
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "Escape" && typing) return typing.blur();
  if (typing || document.querySelector("dialog[open]")) return;
  const key = KEYS[event.key];
  if (key) {
    event.preventDefault();
    key[1]();
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(document.getElementById(button.dataset.copy).textContent, "Command");
});

for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
localTimes(document);
