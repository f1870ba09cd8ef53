"use strict";
(() => {
  const root = document.documentElement;
  const say = (en, zh) => (root.dataset.lang === "zh" ? zh : en);
  const refreshed = []; // what says something by script is said again in the other language

  // Texts that cannot hold both languages: options and hints of fields.
  function speak() {
    root.lang = say("en", "zh-CN");
    for (const option of document.querySelectorAll("option[data-zh]")) {
      option.dataset.en ??= option.textContent;
      option.textContent = say(option.dataset.en, option.dataset.zh);
    }
    for (const field of document.querySelectorAll("[data-hint-en]")) field.placeholder = say(field.dataset.hintEn, field.dataset.hintZh);
    for (const refresh of refreshed) refresh();
  }
  document.getElementById("language").addEventListener("click", () => {
    root.dataset.lang = say("zh", "en");
    speak();
  });
  document.getElementById("theme").addEventListener("click", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
  });

  // A click on a heading sorts its column; the rows are read at the first click, so that the page opens at once.
  const severities = { "blocks the night": 0, quarantine: 1, warning: 2 };
  function key(row, column, isNumber) {
    const cell = row.cells[column];
    const text = (cell.querySelector('[lang="en"]') ?? cell).textContent.trim();
    if (isNumber) return Number.parseFloat(cell.firstChild?.textContent.replaceAll(",", "")) || (cell.textContent.trim().startsWith("0") ? 0 : -1);
    return severities[text] ?? text;
  }
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const isNumber = head.classList.contains("n");
        const direction = (head.getAttribute("aria-sort") ?? (isNumber ? "ascending" : "descending")) === "ascending" ? -1 : 1;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
        const body = table.tBodies[0];
        const keyed = [...body.rows].map((row) => [key(row, column, isNumber), row]);
        keyed.sort(([a], [b]) => direction * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true })));
        body.append(...keyed.map(([, row]) => row));
      });
    });
  }

  // Fields above a table hide the rows that do not fit all of them.
  for (const form of document.querySelectorAll("form.filters")) {
    const body = document.getElementById(form.dataset.for).tBodies[0];
    const selects = [...form.querySelectorAll("select")];
    const minima = [...form.querySelectorAll("[data-min]")];
    const search = form.querySelector('[type="search"]');
    const output = form.querySelector("output");
    let rows;
    const filter = () => {
      rows ??= [...body.rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const { row, text } of rows) {
        const fits = selects.every((s) => !s.value || row.dataset[s.dataset.filter] === s.value) &&
          minima.every((m) => !m.value || Number(row.dataset[m.dataset.min]) >= Number(m.value)) && words.every((w) => text.includes(w));
        row.hidden = !fits;
        shown += fits;
      }
      output.textContent = say(`${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`, `显示 ${shown.toLocaleString("en")} / ${rows.length.toLocaleString("en")}`);
    };
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", filter);
    refreshed.push(() => output.textContent && filter());
  }
  for (const link of document.querySelectorAll("a[data-rule]")) {
    link.addEventListener("click", () => {
      const field = document.getElementById("finding-rule");
      if (!field) return;
      if (![...field.options].some((option) => option.value === link.dataset.rule)) field.add(new Option(link.dataset.rule));
      field.value = link.dataset.rule;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }

  // The search of the findings knows the complete list by an index.
  const findingSearch = document.getElementById("finding-search");
  const hits = document.getElementById("finding-hits");
  const HITS = 200; // lines of them on the page, and runs of rows in one
  const ROWS = 30;
  let index;

  function readIndex() {
    index = JSON.parse(document.getElementById("finding-index").textContent);
    index.end = 2;
    index.groups = index.groups.map(([rule, table, office, rows]) => {
      const names = [rule, table, office].map((name) => index.names[name]);
      index.end += rows;
      return { names, text: names.join(" ").toLowerCase(), first: index.end - rows, end: index.end };
    });
    index.terms = index.terms.map((term) => term.toLowerCase());
  }

  // Rule, table and office with the rows that fit every word.
  function searchIndex(words) {
    if (!index) readIndex();
    const fits = new Uint8Array(index.end);
    words.forEach((word, before) => {
      const add = (row) => { if (fits[row] === before) fits[row] = before + 1; };
      index.terms.forEach((term, n) => {
        if (!term.includes(word)) return;
        let row = 0;
        for (const step of index.rows[n].split(" ")) add(row += parseInt(step, 36));
      });
      for (const { text, first, end } of index.groups) {
        if (text.includes(word)) for (let row = first; row < end; row += 1) add(row);
      }
    });
    return index.groups.map(({ names, first, end }) => {
      const fitting = [];
      for (let row = first; row < end; row += 1) if (fits[row] === words.length) fitting.push(row);
      return { names, rows: fitting };
    }).filter(({ rows: fitting }) => fitting.length);
  }

  function showHits() {
    const words = findingSearch.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = words.length ? searchIndex(words) : [];
    hits.hidden = found.length === 0;
    hits.querySelector("tbody").replaceChildren(...found.slice(0, HITS).map(({ names: [rule, table, office], rows: fitting }) => {
      const line = document.createElement("tr");
      for (const text of [rule, table, office, fitting.length.toLocaleString("en"), runsOf(fitting)]) line.insertCell().textContent = text;
      line.cells[3].className = "n";
      const link = document.createElement("a");
      link.href = `#r-${rule}`;
      link.textContent = rule;
      line.cells[0].replaceChildren(link);
      return line;
    }));
    if (found.length > HITS) hits.querySelector("tbody").insertRow().insertCell().textContent = say(`and ${found.length - HITS} more`, `另有 ${found.length - HITS} 行`);
  }

  // 4, 7–9
  function runsOf(fitting) {
    const runs = [];
    for (const row of fitting) {
      const last = runs.at(-1);
      if (last && last[1] === row - 1) last[1] = row;
      else runs.push([row, row]);
    }
    const texts = runs.slice(0, ROWS).map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
    return texts.join(", ") + (runs.length > ROWS ? say(` and ${runs.length - ROWS} more`, ` 等 ${runs.length} 段`) : "");
  }
  if (findingSearch) {
    findingSearch.addEventListener("input", showHits);
    refreshed.push(showHits);
  }

  function openTarget() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
  }
  addEventListener("hashchange", openTarget);
  let opened = [];
  addEventListener("beforeprint", () => { opened = [...document.querySelectorAll("details:not([open])")]; opened.forEach((d) => { d.open = true; }); });
  addEventListener("afterprint", () => opened.forEach((d) => { d.open = false; }));
  speak();
  openTarget();
})();
