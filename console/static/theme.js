// Before the page is painted: light or dark, as this browser was told; else as its system is.
(() => {
  "use strict";
  let theme = null;
  try { theme = localStorage.getItem("theme"); } catch { /* a browser that keeps nothing */ }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
