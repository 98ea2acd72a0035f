// Before the page is drawn: the theme that was chosen here; without one, the system's counts.
"use strict";
(function () {
  const root = document.documentElement;
  let kept = null;
  try { kept = localStorage.getItem("fsdf-theme"); } catch { /* storage may be forbidden */ }
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("fsdf-theme", root.dataset.theme); } catch { /* as above */ }
    document.dispatchEvent(new CustomEvent("fsdf:theme"));
  });
})();
