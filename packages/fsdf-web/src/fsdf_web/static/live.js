// Keeps what is marked `data-live` fresh: told by the server, or by asking every few seconds where it cannot tell.
"use strict";
(function () {
  const root = document.documentElement.dataset.root;
  const sign = document.getElementById("live");
  const POLL = 5000;
  let busy = false, missed = false, polling = 0;

  // What somebody reads, marks or has the keyboard on stays as it is.
  function inUse(part) {
    const selection = getSelection();
    return document.querySelector("dialog[open]") !== null
      || part.querySelector(":focus-visible, input:checked, details[open]") !== null
      || (selection !== null && !selection.isCollapsed && part.contains(selection.anchorNode));
  }

  async function refresh(force) {
    document.dispatchEvent(new CustomEvent("fsdf:changed"));
    const parts = [...document.querySelectorAll("[data-live]")];
    if (parts.length === 0) return;
    if (busy || document.hidden || (!force && parts.some(inUse))) { missed = true; return; }
    busy = true;
    missed = false;
    const ids = parts.map((part) => `#${part.id}`);
    try {
      await htmx.ajax("GET", location.pathname + location.search, {
        source: parts[0], target: ids[0], select: ids[0], selectOOB: ids.slice(1).join(","), swap: "outerHTML",
      });
    } finally {
      busy = false;
    }
  }

  function show(state) {
    if (sign !== null) sign.dataset.state = state;
  }

  function poll() {
    if (polling === 0) polling = setInterval(() => refresh(false), POLL);
    show("polling");
  }

  function listen() {
    if (!("EventSource" in window)) { poll(); return; }
    const source = new EventSource(`${root}/events`);
    // What changed between the page and this connection, or while it was lost, nobody has told.
    source.onopen = () => { show("live"); refresh(false); };
    source.addEventListener("changed", () => refresh(false));
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) poll();
      else show("away");
    };
    addEventListener("pagehide", () => source.close());
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden && missed) refresh(false); });
  document.addEventListener("fsdf:acted", () => refresh(true));
  document.addEventListener("htmx:responseError", () => show("away"));
  addEventListener("DOMContentLoaded", listen);
})();
