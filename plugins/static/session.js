// On a session's page: unfolding, fetching what was left out, marking what was looked for, keys.
"use strict";

const transcript = document.querySelector(".transcript");
const folds = () => [...transcript.querySelectorAll("details")];

const fold = () => {
  const open = !folds().some((one) => one.open);
  for (const one of folds()) one.open = open;
  const button = document.getElementById("fold");
  if (button) button.textContent = open ? "Fold all" : "Unfold all";
};

// What a long record leaves out comes when it is asked for.
const fetchRest = async (link) => {
  const box = link.closest("[data-seq]");
  link.textContent = "Fetching…";
  const answer = await fetch(`${link.href}&fragment=1`);
  if (!answer.ok) return location.assign(link.href);
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const whole = holder.content.querySelector("[data-seq]");
  localTimes(holder.content);
  box.replaceWith(whole);
  if (whole.matches("details")) whole.open = true;
  markFound(whole);
};

transcript.addEventListener("click", (event) => {
  const link = event.target.closest("a.rest");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  fetchRest(link);
});

// A subagent's transcript, shown at the call that started it.
const showInside = async (button) => {
  const box = button.closest(".child");
  const inside = box.querySelector(".inside");
  if (inside) {
    inside.hidden = !inside.hidden;
    button.textContent = inside.hidden ? "Show here" : "Hide";
    return;
  }
  button.textContent = "Fetching…";
  const answer = await fetch(button.dataset.inline);
  if (!answer.ok) return location.assign(button.dataset.inline);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const turns = [...page.querySelectorAll(".transcript > .turn")];
  for (const one of page.querySelectorAll("[id]")) one.removeAttribute("id");
  for (const one of page.querySelectorAll("[data-seq]")) one.removeAttribute("data-seq");
  const holder = document.createElement("div");
  holder.className = "inside";
  holder.append(...turns);
  if (page.querySelector(".pager")) {
    const more = Object.assign(document.createElement("a"), { href: button.dataset.inline, textContent: "The rest of it" });
    holder.append(more);
  }
  localTimes(holder);
  box.append(holder);
  button.textContent = "Hide";
};

transcript.addEventListener("click", (event) => {
  const button = event.target.closest("[data-inline]");
  if (button) showInside(button);
});
for (const one of document.querySelectorAll("[data-inline]")) one.hidden = false;

// The words looked for, marked in what is shown. The server says where they are; this only paints.
const words = () =>
  [...(document.getElementById("within-q")?.value || "").matchAll(/"([^"]+)"|(\S+)/g)]
    .map((match) => (match[1] || match[2]).replace(/\*$/, ""))
    .filter((word) => !/^-|^[a-z]+:/.test(word));

const markFound = (root) => {
  const wanted = words();
  if (!wanted.length || !CSS.highlights) return;
  const escaped = wanted.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+"));
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join("|")})`, "giu");
  const found = CSS.highlights.get("found") || new Highlight();
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const match of node.data.matchAll(pattern)) {
      const range = new Range();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      found.add(range);
    }
  }
  CSS.highlights.set("found", found);
};

// Which prompt of the outline is on the screen.
const follow = () => {
  const links = new Map([...document.querySelectorAll(".outline .prompts a")].map((link) => [link.hash, link]));
  let now = null;
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      const link = links.get(`#m${entry.target.dataset.turn}`);
      if (!link || link === now) continue;
      now?.classList.remove("now");
      link.classList.add("now");
      now = link;
      const list = document.querySelector(".outline");
      if (getComputedStyle(list).position === "sticky") {
        const top = link.getBoundingClientRect().top - list.getBoundingClientRect().top;
        if (top < 40 || top > list.clientHeight - 60) list.scrollTop += top - list.clientHeight / 2;
      }
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const turn of document.querySelectorAll(".turn")) seen.observe(turn);
};

const current = () =>
  document.activeElement.closest("[data-seq]") ||
  steps().find((one) => one.getBoundingClientRect().bottom > 100);

const nextHit = (by) => {
  const links = [...document.querySelectorAll(".outline .hits a[href*='at=']")];
  if (!links.length) return say("Find something in this session first");
  const at = Number(new URLSearchParams(location.search).get("at") || -1);
  const seqs = links.map((link) => Number(new URL(link.href).searchParams.get("at")));
  const place = by > 0 ? seqs.findIndex((seq) => seq > at) : seqs.findLastIndex((seq) => seq < at);
  if (place < 0) return say(by > 0 ? "That was the last hit" : "That was the first hit");
  location.assign(links[place].href);
};

Object.assign(KEYS, {
  f: ["fold or unfold all", fold],
  "]": ["next hit", () => nextHit(1)],
  "[": ["the hit before", () => nextHit(-1)],
  y: ["copy a link to this message", () => {
    const link = current()?.querySelector(".perma");
    if (link) copy(link.href, "Link");
  }],
  r: ["copy the resume command", () => {
    const command = document.getElementById("resume");
    command ? copy(command.textContent, "Resume command") : say("This session cannot be reopened");
  }],
});

const button = document.getElementById("fold");
if (button) {
  button.hidden = false;
  button.addEventListener("click", fold);
}
// A session that is still being written follows itself: what is new is fetched when there is any.
const uid = transcript.dataset.uid;
// A call that waited for its result has it now.
const settle = (newer) => {
  const older = transcript.querySelector(`details.pending[data-seq="${newer.dataset.seq}"]`);
  if (!older || newer.matches(".pending")) return;
  const copy = newer.cloneNode(true);
  copy.open = older.open;
  localTimes(copy);
  older.replaceWith(copy);
};

const has = (turn, child) =>
  [...turn.querySelectorAll(".child > a")].some((link) => link.getAttribute("href") === child.querySelector("a").getAttribute("href"));

const merge = (page) => {
  const known = new Set([...transcript.querySelectorAll("[data-seq]")].map((one) => one.dataset.seq));
  const pager = transcript.querySelector(".pager ~ .pager");
  let added = 0;
  for (const turn of page.querySelectorAll(".turn")) {
    let mine = transcript.querySelector(`.turn[data-turn="${turn.dataset.turn}"]`);
    if (!mine) {
      mine = turn.cloneNode();
      pager ? pager.before(mine) : transcript.append(mine);
    }
    for (const one of [...turn.children]) {
      if (known.has(one.dataset.seq)) settle(one);
      if (one.matches(".child") ? has(mine, one) : !one.dataset.seq || known.has(one.dataset.seq)) continue;
      const spent = mine.querySelector(":scope > .spent");
      localTimes(one);
      spent ? spent.before(one) : mine.append(one);
      added += 1;
    }
    const spent = turn.querySelector(":scope > .spent");
    if (spent) {
      mine.querySelector(":scope > .spent")?.remove();
      mine.append(spent);
    }
  }
  return added;
};

let stamp = "";
let state = transcript.dataset.state;
const tail = async () => {
  const show = transcript.dataset.show;
  const answer = await fetch(`/-/follow/${uid}`, { cache: "no-store", headers: { "If-None-Match": stamp } });
  if (!answer.ok) return; // 304: nothing new anywhere
  const now = (await answer.json()).state;
  const page = now === state ? null : await fetch(`${location.pathname}?show=${show}&at=999999999999999`);
  if (page && !page.ok) return;
  [stamp, state] = [answer.headers.get("ETag"), now];
  if (!page) return;
  const atEnd = innerHeight + scrollY > document.documentElement.scrollHeight - 200;
  const added = merge(new DOMParser().parseFromString(await page.text(), "text/html"));
  if (added && atEnd) scrollTo({ top: document.documentElement.scrollHeight });
  else if (added) say(`${added} new below`);
};

const tailForever = async () => {
  // One that ended long ago may still go on, but nobody waits for it.
  const fresh = Date.now() - Number(transcript.dataset.ended) < 3600e3;
  try {
    if (document.visibilityState === "visible") await tail();
  } catch {
    // The server is being restarted; the next round finds it again.
  }
  setTimeout(tailForever, fresh ? 1500 : 15000);
};

markFound(transcript);
follow();
if (transcript.dataset.last) tailForever();
const asked = document.getElementById(location.hash.slice(1));
if (asked) {
  if (asked.matches("details")) asked.open = true;
  asked.querySelector(".unfold")?.click();
}
