"use strict";
(function () {
  const root = document.documentElement;
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));

  // Theme: the system's, until the button chooses another.
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const themeButton = document.getElementById("theme");
  function labelThemeButton() {
    const other = isDark() ? "light" : "dark";
    themeButton.textContent = isDark() ? "Light" : "Dark";
    themeButton.setAttribute("aria-label", "Change to " + other + " colours");
  }
  function applyTheme() {
    labelThemeButton();
    for (const [element, view] of views) {
      view.finalize();
      drawChart(element);
    }
  }
  themeButton.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    applyTheme();
  });
  prefersDark.addEventListener("change", applyTheme);

  // Charts: drawn when their tab is first seen, since only then they have a width.
  const views = new Map();
  function chartConfig(dark) {
    // CSS variables, so that a page in dark colours prints in dark ink
    const ink = "var(--ink)", quiet = "var(--quiet)", line = "var(--line)";
    const font = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif";
    const accent = dark ? "#79b8ff" : "#0b5cad";
    const text = {
      labelColor: quiet, labelFont: font, labelFontSize: 12,
      titleColor: quiet, titleFont: font, titleFontSize: 12, titleFontWeight: "normal",
    };
    const ramp = dark ? ["#1b222a", "#2f6fb3", "#a5d3ff"] : ["#eef4fb", "#6aa5dc", "#08366b"];
    const category = dark
      ? ["#79b8ff", "#ffb454", "#7ee787", "#ff9492", "#d2a8ff", "#e6edf3", "#56d4dd", "#f2cc60"]
      : ["#0b5cad", "#b35900", "#1a7f37", "#a40e26", "#7c3aed", "#444c56", "#0e7490", "#8a6d00"];
    const config = {
      background: "transparent",
      axis: { gridColor: line, domainColor: line, tickColor: line, ...text },
      header: text,
      legend: text,
      view: { stroke: null },
      text: { color: ink },
      range: { category, heatmap: ramp, ramp },
    };
    for (const mark of ["mark", "point", "rule", "line", "area", "bar", "circle"]) {
      config[mark] = { color: accent };
    }
    return config;
  }
  async function drawChart(element) {
    const spec = JSON.parse(document.getElementById(element.dataset.spec).textContent);
    if (spec.facet) {  // panels have no width of their own: as many in a row as there is room for
      spec.columns = Math.max(1, Math.floor(element.clientWidth / 240));
      spec.spec.width = Math.floor(element.clientWidth / spec.columns) - 56;
      spec.facet.header.labelLimit = spec.spec.width + 30;
    }
    const compiled = vega.compile(spec, { config: chartConfig(isDark()) }).spec;
    // expressions are interpreted: the page's policy forbids eval
    const view = new vega.View(vega.parse(compiled, {}, { ast: true }), {
      expr: vega.expressionInterpreter,
      logLevel: vega.Warn,
      renderer: "svg",
      tooltip: new vega.Handler().call,
    });
    views.set(element, view);
    await view.initialize(element).runAsync();
    element.dataset.drawn = "yes";
  }
  function drawPanel(panel) {
    all(".chart", panel).filter((element) => !views.has(element)).forEach(drawChart);
  }

  // Tabs: arrow keys move, the address remembers.
  const tabs = all("[role=tab]");
  const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
  function select(tab) {
    for (const other of tabs) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
      panelOf(other).hidden = other !== tab;
    }
    tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    drawPanel(panelOf(tab));
  }
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => {
      select(tab);
      history.replaceState(null, "", "#" + tab.dataset.name);
      window.scrollTo(0, 0);
    });
    tab.addEventListener("keydown", (event) => {
      const next = {
        ArrowRight: (index + 1) % tabs.length,
        ArrowLeft: (index - 1 + tabs.length) % tabs.length,
        Home: 0,
        End: tabs.length - 1,
      }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      select(tabs[next]);
      tabs[next].focus();
    });
  });
  function followAddress() {
    const name = decodeURIComponent(location.hash.slice(1));
    const target = name && document.getElementById(name);
    const panel = target && target.closest("[role=tabpanel]");
    const isChosen = (tab) => (panel ? panelOf(tab) === panel : tab.dataset.name === name);
    select(tabs.find(isChosen) || tabs[0]);
    if (panel && target !== panel) target.scrollIntoView();
    else window.scrollTo(0, 0);
  }
  window.addEventListener("hashchange", followAddress);

  // Tables: sort by a column, filter by words, show more.
  all(".listing").forEach((listing) => {
    const body = listing.querySelector("tbody");
    const box = listing.querySelector("input");
    const more = listing.querySelector(".more");
    const count = listing.querySelector(".count");
    const rows = Array.from(body.rows), limit = Number(listing.dataset.shown);
    let isOpen = false;
    function countText(words, matching, visible) {
      if (words.length) return matching + " of " + rows.length + " rows match";
      return rows.length > limit ? visible + " of " + rows.length + " rows shown" : "";
    }
    function show() {
      const words = box ? box.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
      let matching = 0, visible = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const matches = words.every((word) => text.includes(word));
        matching += matches;
        row.hidden = !(matches && (isOpen || visible < limit));
        visible += !row.hidden;
      }
      count.textContent = countText(words, matching, visible);
      if (more) {
        more.hidden = matching <= limit;
        more.textContent = isOpen ? "Show fewer" : "Show all " + matching;
        more.setAttribute("aria-expanded", String(isOpen));
      }
    }
    function sortBy(head) {
      const isNumber = head.classList.contains("number"), order = head.getAttribute("aria-sort");
      // numbers begin with the largest, texts and times with the first
      const isDown = order !== "descending" && (isNumber || order === "ascending");
      all("th", listing).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      const key = (row) => row.cells[head.cellIndex].dataset.v;
      rows.sort((one, two) => {
        const a = key(one), b = key(two);
        if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
        return (isDown ? -1 : 1) * (isNumber ? Number(a) - Number(b) : a.localeCompare(b));
      });
      rows.forEach((row) => body.append(row));
      show();
    }
    if (box) box.addEventListener("input", show);
    if (more) more.addEventListener("click", () => { isOpen = !isOpen; show(); });
    all("th button", listing).forEach((button) => {
      button.addEventListener("click", () => sortBy(button.parentElement));
    });
    show();
  });

  window.addEventListener("beforeprint", () => all("[role=tabpanel]").forEach(drawPanel));
  labelThemeButton();
  followAddress();
})();
