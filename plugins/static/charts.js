// Charts that the server has drawn are drawn anew by vega-embed, to be pointed at and stepped through. Begun when the
// page stands and a chart is near; where anything fails, what the server drew stays.
"use strict";
{
  const source = document.currentScript.dataset.embed;

  const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
  tip.setAttribute("aria-hidden", "true"); // what it says is the mark's label
  document.body.append(tip);

  const tell = (text, x, y) => {
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    tip.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${y - tip.offsetHeight - 10 > 0 ? y - tip.offsetHeight - 10 : y + 18}px`;
  };

  const middle = (mark) => {
    const box = mark.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  // The nearest mark that way; what lies aside counts double.
  const next = (marks, from, [right, down]) => {
    const [x, y] = middle(from);
    const far = (mark) => {
      const [ahead, aside] = ((across, along) => (right ? [across * right, along] : [along * down, across]))(
        middle(mark)[0] - x, middle(mark)[1] - y);
      return ahead > 1 ? ahead + 2 * Math.abs(aside) : Infinity;
    };
    const best = marks.reduce((one, other) => (far(other) < far(one) ? other : one), from);
    return far(best) < Infinity ? best : from;
  };

  const step = (place, event) => {
    const marks = [...place.querySelectorAll("[role=graphics-symbol][aria-label]")];
    const at = document.activeElement;
    if (event.key === "Enter" && at.__data__?.href) return location.assign(at.__data__.href);
    if (!ARROWS[event.key] || !marks.length || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const mark = marks.includes(at) ? next(marks, at, ARROWS[event.key]) : marks.at(-1);
    mark.setAttribute("tabindex", "-1");
    mark.focus();
    tell(mark.getAttribute("aria-label"), ...middle(mark));
  };

  const draw = async (place) => {
    const [{ embed }, answer] = await Promise.all([import(source), fetch(place.dataset.chart)]);
    if (!answer.ok) return;
    const box = document.createElement("div");
    await embed(box, await answer.json(), {
      mode: "vega-lite",
      renderer: "svg",
      actions: false,
      ast: true, // expressions are interpreted: the page's policy lets nothing be compiled
      defaultStyle: false,
      tooltip: (_, event, __, value) => tell(value, event.clientX, event.clientY),
    });
    place.replaceChildren(box);
    place.setAttribute("aria-label", `${place.getAttribute("aria-label")}; arrow keys go from mark to mark`);
    place.addEventListener("keydown", (event) => step(place, event));
    place.addEventListener("focusout", () => tell(null));
  };

  const near = new IntersectionObserver((seen) => {
    for (const one of seen.filter((each) => each.isIntersecting)) {
      near.unobserve(one.target);
      draw(one.target).catch((error) => console.warn("The server's chart stays:", error));
    }
  }, { rootMargin: "200px" });

  const begin = () => {
    for (const place of document.querySelectorAll("[data-chart]")) near.observe(place);
  };
  const idle = window.requestIdleCallback || setTimeout;
  if (document.readyState === "complete") idle(begin);
  else addEventListener("load", () => idle(begin));
}
