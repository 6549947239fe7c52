// Chooses light or dark before anything is drawn, so that nothing flashes. It is no module: modules
// run late. The choice is the reader's where he has made one, else the device's.
"use strict";

(() => {
  const KEY = "hargassner-theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // A browser that keeps nothing goes by the device.
    }
  };
  const show = () => {
    document.documentElement.dataset.theme = kept() || (dark.matches ? "dark" : "light");
    document.dispatchEvent(new Event("theme"));
  };
  dark.addEventListener("change", show);
  document.addEventListener("choose-theme", (event) => {
    try {
      if (event.detail) localStorage.setItem(KEY, event.detail);
      else localStorage.removeItem(KEY);
    } catch {
      document.documentElement.dataset.theme = event.detail || (dark.matches ? "dark" : "light");
      document.dispatchEvent(new Event("theme"));
      return;
    }
    show();
  });
  show();
})();
