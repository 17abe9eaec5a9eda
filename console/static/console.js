// What the console's pages do beside htmx: shortcuts, selection, the theme, and saying so when the connection is lost.
(() => {
  "use strict";
  const $ = (which, from = document) => from.querySelector(which);
  const all = (which, from = document) => [...from.querySelectorAll(which)];
  const kept = {
    get(name) { try { return localStorage.getItem(name); } catch { return null; } },
    set(name, value) { try { localStorage.setItem(name, value); } catch { /* kept for this page alone */ } },
  };

  // --- theme
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const turn = () => {
    const root = document.documentElement;
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    kept.set("theme", root.dataset.theme);
  };

  // --- a source's link: its token stands behind the #, which no server is sent before this
  const enter = $("form[data-enter]");
  if (enter && location.hash.length > 1) {
    $("input[name=token]", enter).value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
    enter.submit();
  }

  // --- on a phone the filter is folded away, unless it filters
  const folded = $("[data-narrow]");
  if (folded && innerWidth < 768 && !all("select, input", folded).some((field) => field.value && !["open", "urgent"].includes(field.value))) {
    folded.open = false;
  }

  // --- selection
  const count = () => {
    for (const form of all("form[data-bulk]")) {
      const ticked = all("input[name=ids]:checked", form).length;
      const every = $("input[name=all]", form);
      const number = every && every.checked ? Number(every.dataset.count) : ticked;
      for (const place of all("[data-ticked]", form)) place.textContent = number ? `${number} selected` : "none selected";
      for (const button of all("button[name=act]", form)) button.disabled = number === 0;
      const page = $("input[data-page]", form);
      if (page) {
        const boxes = all("input[name=ids]", form);
        page.checked = boxes.length > 0 && boxes.every((box) => box.checked);
        page.indeterminate = ticked > 0 && !page.checked;
      }
    }
  };
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("input[data-page]")) for (const one of all("input[name=ids]", box.form)) one.checked = box.checked;
    if (box.matches("input[name=ids]") && !box.checked) {
      const every = $("input[name=all]", box.form);
      if (every) every.checked = false;
    }
    count();
  });

  // --- clicks
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    if (button.dataset.do === "theme") turn();
    if (button.dataset.do === "help") $("#help").showModal();
    if (button.dataset.do === "close") button.closest("dialog").close();
  });
  document.addEventListener("submit", (event) => {
    // An act is sent once, however often it is clicked.
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
  });
  addEventListener("pageshow", () => { for (const form of all("form[data-sent]")) delete form.dataset.sent; });

  // --- shortcuts
  const place = (key) => key === "c" ? "/causes" : all(".side nav a").find((link) => link.dataset.key === key)?.href;
  const rows = () => all("[data-row]");
  let before = "";
  const step = (by) => {
    const list = rows();
    if (!list.length) return;
    const old = list.findIndex((row) => row.classList.contains("at"));
    const next = Math.min(list.length - 1, Math.max(0, old < 0 ? 0 : old + by));
    if (old >= 0) list[old].classList.remove("at");
    list[next].classList.add("at");
    const link = $("a[data-open]", list[next]);
    if (link) link.focus({ preventScroll: true });
    list[next].scrollIntoView({ block: "nearest" });
  };
  const here = () => $("[data-row].at");
  const press = (act) => { const button = $(`form[data-bulk] button[value=${act}]`); if (button && !button.disabled) button.click(); };
  document.addEventListener("keydown", (event) => {
    if (kept.get("keys") === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = event.target;
    if (at.matches("input:not([type=checkbox]), textarea, select") || $("dialog[open]")) return;
    const key = event.key;
    const first = before;
    before = "";
    if (first === "g" && place(key)) location.href = place(key);
    else if (key === "g") { before = "g"; setTimeout(() => { before = ""; }, 1500); return; }
    else if (key === "/") $("#q, #find")?.focus();
    else if (key === "?") $("#help")?.showModal();
    else if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "x") { const box = here() && $("input[name=ids]", here()); if (box) box.click(); }
    else if (key === "r") press("replay");
    else if (key === "t") turn();
    else return;
    event.preventDefault();
  });
  const keys = $("#keys");
  if (keys) {
    keys.checked = kept.get("keys") !== "off";
    keys.addEventListener("change", () => kept.set("keys", keys.checked ? "on" : "off"));
  }

  // --- live parts
  const lost = $("#lost");
  const say = (text) => { if (lost) { lost.hidden = !text; $("span", lost).textContent = text; } };
  let last = new Date();
  // What somebody is at must outlive the part's being made anew: the row, the link, the marked text, the scrolling.
  const marks = (part) => {
    const chosen = getSelection();
    return !chosen.isCollapsed && part.contains(chosen.anchorNode);
  };
  const name = (link) => link && (link.id || link.getAttribute("href"));
  const named = (part, which) => which && all("a", part).find((link) => name(link) === which);
  let stood = null;
  // What nobody looks at is not asked for again and again, nor what somebody is copying from.
  const rests = (asker, part) => {
    if (!(asker.getAttribute("hx-trigger") || "").startsWith("every") || asker.hasAttribute("data-always")) return false;
    return document.hidden || (new Date() - last < 30_000 && marks(part));
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    if (!part || part.id === "results") { stood = null; return; }
    // Text may have been marked since this was asked for.
    if (rests(event.detail.requestConfig.elt, part)) { event.preventDefault(); stood = null; return; }
    const at = $("[data-row].at a[data-open]", part);
    const focused = part.contains(document.activeElement) ? document.activeElement.closest("a") : null;
    stood = {
      part: part.id, at: name(at), focused: name(focused),
      open: all("details", part).map((one) => one.open), scrolled: all(".scroll", part).map((one) => one.scrollLeft),
    };
  });
  document.addEventListener("htmx:afterSwap", () => {
    const part = stood && document.getElementById(stood.part);
    if (!part) return;
    named(part, stood.at)?.closest("[data-row]")?.classList.add("at");
    if (stood.focused && document.activeElement === document.body) named(part, stood.focused)?.focus({ preventScroll: true });
    all("details", part).forEach((one, index) => { one.open = stood.open[index] || one.open; });
    all(".scroll", part).forEach((one, index) => { one.scrollLeft = stood.scrolled[index] || 0; });
  });

  // A page that is loaded anew by itself (a job ended, a session did) keeps what was being typed.
  const typed = () => all("input:not([type]), input[type=text], input[type=search], textarea").filter((field) => field.id && field.value && field.value !== field.defaultValue);
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const answer = event.detail.xhr;
    if (!answer.getResponseHeader("HX-Refresh") && !answer.getResponseHeader("HX-Redirect")) return;
    const fields = typed().map((field) => [field.id, field.value]);
    const focused = document.activeElement.id;
    try { sessionStorage.setItem("typed", JSON.stringify({ where: location.pathname, fields, focused })); } catch { /* then it is lost */ }
  });
  try {
    const hadTyped = JSON.parse(sessionStorage.getItem("typed") || "null");
    if (hadTyped && hadTyped.where === location.pathname) {
      sessionStorage.removeItem("typed");
      for (const [id, value] of hadTyped.fields) { const field = document.getElementById(id); if (field) field.value = value; }
      if (hadTyped.focused) document.getElementById(hadTyped.focused)?.focus();
    }
  } catch { /* nothing was kept */ }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (rests(event.detail.elt, event.detail.target)) event.preventDefault();
    else if (event.detail.target) event.detail.target.setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.target) event.detail.target.removeAttribute("aria-busy");
    if (event.detail.successful) { last = new Date(); say(""); }
  });
  const stale = (what) => () => say(`${what} Showing data of ${last.toLocaleTimeString()}; retrying.`);
  document.addEventListener("htmx:sendError", stale("The console cannot be reached."));
  document.addEventListener("htmx:timeout", stale("The console does not answer."));
  document.addEventListener("htmx:responseError", (event) => stale(`The console answered ${event.detail.xhr.status}.`)());
  // --- the tab's title counts what is open
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "count") return;
    const open = $("[data-count]", event.detail.target)?.firstChild.textContent;
    document.title = (open ? `(${open}) ` : "") + document.title.replace(/^\([\d,]+\) /, "");
  });

  // --- the histogram filters by dragging, and by its two ends
  const filterTimes = (chart, from, to) => {
    const moment = (bar) => new Date(Date.parse(chart.dataset.start) + bar * chart.dataset.width * 1000);
    const told = (bar) => moment(bar).toISOString().replace(".000", "");
    const bars = Number(chart.dataset.bars), since = $("#since"), until = $("#until");
    if (!since || !until || to <= from) return;
    if (from > 0) since.value = told(from);
    if (to < bars) until.value = told(to);
    since.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const show = (chart, from, to) => {
    const chosen = $(".chosen", chart);
    chosen.setAttribute("x", from);
    chosen.setAttribute("width", Math.max(0, to - from));
  };
  let drag = null;
  const barAt = (event) => {
    const box = drag.svg.getBoundingClientRect();
    return (event.clientX - box.left) / box.width * drag.chart.dataset.bars;
  };
  const spanOf = (end) => [Math.max(0, Math.floor(Math.min(drag.from, end))), Math.min(Number(drag.chart.dataset.bars), Math.ceil(Math.max(drag.from, end)))];
  document.addEventListener("pointerdown", (event) => {
    const svg = event.target.closest(".bars");
    if (!svg || event.button !== 0) return;
    drag = { svg, chart: svg.closest("[data-deaths]"), from: 0 };
    drag.from = barAt(event);
    svg.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  document.addEventListener("pointermove", (event) => { if (drag) show(drag.chart, ...spanOf(barAt(event))); });
  document.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const [from, to] = spanOf(barAt(event)), chart = drag.chart;
    drag = null;
    filterTimes(chart, from, to);
  });
  document.addEventListener("pointercancel", () => { if (drag) { show(drag.chart, 0, 0); drag = null; } });
  const ends = (chart) => ["from", "to"].map((end) => Number($(`[data-end=${end}]`, chart).value));
  document.addEventListener("input", (event) => {
    const chart = event.target.matches("[data-end]") && event.target.closest("[data-deaths]");
    if (!chart) return;
    const [from, to] = ends(chart);
    if (to <= from) event.target.value = event.target.dataset.end === "from" ? to - 1 : from + 1;
    const bar = Number(event.target.value);
    event.target.setAttribute("aria-valuetext", new Date(Date.parse(chart.dataset.start) + bar * chart.dataset.width * 1000).toUTCString());
    show(chart, ...ends(chart));
  });
  // Keys move an end bar by bar: the list follows once they rest.
  let rest = 0, wanted = null;
  document.addEventListener("change", (event) => {
    const chart = event.target.matches("[data-end]") && event.target.closest("[data-deaths]");
    if (!chart) return;
    clearTimeout(rest);
    wanted = event.target.id;
    rest = setTimeout(() => filterTimes(chart, ...ends(chart)), 600);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "results" || !wanted) return;
    if (document.activeElement === document.body) document.getElementById(wanted)?.focus({ preventScroll: true });
    wanted = null;
  });
  document.addEventListener("htmx:afterSettle", count);
  count();
})();
