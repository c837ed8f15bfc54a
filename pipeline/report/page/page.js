"use strict";
(function () {
  const root = document.documentElement;
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));

  // Theme: as the system has it, until the button says otherwise.
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const themeButton = document.getElementById("theme");
  function nameTheme() {
    themeButton.textContent = isDark() ? "Light" : "Dark";
    themeButton.setAttribute("aria-label", "Change to " + (isDark() ? "light" : "dark") + " colours");
  }
  themeButton.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    themed();
  });
  prefersDark.addEventListener("change", themed);

  // Charts: drawn when their tab is first seen, since only then they have a width.
  const drawn = new Map();
  function colours(dark) {
    const ink = "var(--ink)", quiet = "var(--quiet)", line = "var(--line)";  // so that paper gets dark text from a dark page
    const font = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif", accent = dark ? "#79b8ff" : "#0b5cad";
    const text = { labelColor: quiet, titleColor: quiet, labelFont: font, titleFont: font, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
    return {
      background: "transparent",
      axis: Object.assign({ gridColor: line, domainColor: line, tickColor: line }, text),
      header: text,
      legend: text,
      view: { stroke: null },
      mark: { color: accent },
      point: { color: accent }, rule: { color: accent }, line: { color: accent }, area: { color: accent }, bar: { color: accent },
      circle: { color: accent },
      text: { color: ink },
      range: {
        category: dark
          ? ["#79b8ff", "#ffb454", "#7ee787", "#ff9492", "#d2a8ff", "#e6edf3", "#56d4dd", "#f2cc60"]
          : ["#0b5cad", "#b35900", "#1a7f37", "#a40e26", "#7c3aed", "#444c56", "#0e7490", "#8a6d00"],
        heatmap: dark ? ["#1b222a", "#2f6fb3", "#a5d3ff"] : ["#eef4fb", "#6aa5dc", "#08366b"],
        ramp: dark ? ["#1b222a", "#2f6fb3", "#a5d3ff"] : ["#eef4fb", "#6aa5dc", "#08366b"],
      },
    };
  }
  function draw(element, dark) {
    const spec = JSON.parse(document.getElementById(element.dataset.spec).textContent);
    if (spec.facet) {  // small multiples have no width of their own: as many side by side as there is room for
      spec.columns = Math.max(1, Math.floor(element.clientWidth / 240));
      spec.spec.width = Math.floor(element.clientWidth / spec.columns) - 56;
      spec.facet.header.labelLimit = spec.spec.width + 30;
    }
    const options = { actions: false, ast: true, renderer: "svg", config: colours(dark), defaultStyle: false, tooltip: { disableDefaultStyle: false } };
    return window.vegaEmbed(element, spec, options).then((found) => {
      drawn.set(element, found);
      element.dataset.drawn = "yes";
    });
  }
  function drawPanel(panel) {
    return Promise.all(all(".chart", panel).filter((element) => !drawn.has(element)).map((element) => draw(element, isDark())));
  }
  function themed() {
    nameTheme();
    for (const [element, found] of drawn) {
      found.finalize();
      draw(element, isDark());
    }
  }

  // Tabs: arrow keys move, the address remembers.
  const tabs = all("[role=tab]");
  function select(tab, focus) {
    for (const other of tabs) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
    }
    if (focus) tab.focus();
    tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    drawPanel(document.getElementById(tab.getAttribute("aria-controls")));
  }
  tabs.forEach((tab, at) => {
    tab.addEventListener("click", () => { select(tab); history.replaceState(null, "", "#" + tab.dataset.name); window.scrollTo(0, 0); });
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const to = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : step ? (at + step + tabs.length) % tabs.length : -1;
      if (to >= 0) { event.preventDefault(); select(tabs[to], true); }
    });
  });
  function follow() {
    const name = decodeURIComponent(location.hash.slice(1));
    const target = name && document.getElementById(name);
    const panel = target && target.closest("[role=tabpanel]");
    const tab = tabs.find((found) => (panel ? found.getAttribute("aria-controls") === panel.id : found.dataset.name === name));
    select(tab || tabs[0]);
    if (panel && target !== panel) target.scrollIntoView();
    else window.scrollTo(0, 0);
  }
  window.addEventListener("hashchange", follow);

  // Tables: sort by a column, filter by words, show more.
  all(".listing").forEach((listing) => {
    const body = listing.querySelector("tbody"), rows = Array.from(body.rows), order = rows.slice();
    const box = listing.querySelector("input"), more = listing.querySelector(".more"), count = listing.querySelector(".count");
    const first = Number(listing.dataset.shown);
    let open = false;
    function show() {
      const words = box ? box.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
      let matching = 0, visible = 0;
      for (const row of order) {
        const text = row.textContent.toLowerCase();
        const matches = words.every((word) => text.includes(word));
        matching += matches;
        row.hidden = !(matches && (open || visible < first));
        visible += !row.hidden;
      }
      if (count) count.textContent = words.length ? matching + " of " + rows.length + " rows match" : rows.length > first ? visible + " of " + rows.length + " rows shown" : "";
      if (more) {
        more.hidden = matching <= first;
        more.textContent = open ? "Show fewer" : "Show all " + matching;
        more.setAttribute("aria-expanded", String(open));
      }
    }
    if (box) box.addEventListener("input", show);
    if (more) more.addEventListener("click", () => { open = !open; show(); });
    all("th button", listing).forEach((button) => {
      const head = button.parentElement, at = head.cellIndex;
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending" && (head.classList.contains("number") || head.getAttribute("aria-sort") === "ascending");
        all("th", listing).forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const sign = down ? -1 : 1, numeric = head.classList.contains("number");
        const key = (row) => row.cells[at].dataset.v;
        order.sort((one, two) => {
          const a = key(one), b = key(two);
          if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
          return sign * (numeric ? Number(a) - Number(b) : a.localeCompare(b));
        });
        order.forEach((row) => body.append(row));
        show();
      });
    });
    show();
  });

  window.addEventListener("beforeprint", () => all("[role=tabpanel]").forEach(drawPanel));
  nameTheme();
  follow();
})();
