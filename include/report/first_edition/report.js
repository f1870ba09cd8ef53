"use strict";
(() => {
  const table = document.getElementById("rule-table");
  const forms = document.querySelectorAll(".filters");
  const form = forms[0];
  const search = document.getElementById("rule-search");
  const count = document.getElementById("rule-count");
  const selects = [...form.querySelectorAll("select")];
  const body = table.tBodies[0];
  let rows;

  // The rows are read at the first letter, choice or click, so that the page opens at once.
  function read() {
    rows ??= [...body.rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
  }

  function filter() {
    read();
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, text } of rows) {
      const fits = selects.every((s) => !s.value || row.dataset[s.dataset.filter] === s.value) && words.every((w) => text.includes(w));
      row.hidden = !fits;
      if (fits) shown += 1;
    }
    count.textContent = `${shown} of ${rows.length} rules`;
  }

  const severities = { block: 0, quarantine: 1, warn: 2 };
  function key(row, column, isNumber) {
    const text = row.cells[column].textContent.trim();
    if (isNumber) return text === "–" ? -1 : Number(text.replaceAll(",", ""));
    return text in severities ? severities[text] : text;
  }

  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const isNumber = head.classList.contains("n");
      const direction = (head.getAttribute("aria-sort") ?? (isNumber ? "ascending" : "descending")) === "ascending" ? -1 : 1;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      read();
      head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      const keyed = rows.map(({ row }) => [key(row, column, isNumber), row]);
      keyed.sort(([a], [b]) => direction * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true })));
      body.append(...keyed.map(([, row]) => row));
    });
  });

  const findingSearch = document.getElementById("finding-search");
  const findingCount = document.getElementById("finding-count");
  const hits = document.getElementById("finding-hits");
  const HITS = 200; // lines of them on the page, and runs of rows in one
  const ROWS = 30;
  let rules;
  let index;

  function searchFindings() {
    rules ??= [...document.querySelectorAll("#findings > details")].map((rule) => ({
      rule,
      name: [...rule.querySelectorAll(":scope > summary, :scope > p")].map((part) => part.textContent.toLowerCase()).join(" "),
      rows: [...rule.querySelectorAll("tbody tr")].map((row) => ({ row, text: row.textContent.toLowerCase() })),
    }));
    const words = findingSearch.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    let all = 0;
    for (const { rule, name, rows: own } of rules) {
      let fitting = 0;
      for (const { row, text } of own) {
        row.hidden = !words.every((w) => text.includes(w) || name.includes(w));
        if (!row.hidden) fitting += 1;
      }
      rule.hidden = fitting === 0;
      if (words.length) rule.open = fitting > 0;
      shown += fitting;
      all += own.length;
    }
    const found = words.length ? searchIndex(words) : [];
    const total = found.reduce((sum, { rows: fitting }) => sum + fitting.length, 0);
    findingCount.textContent = words.length ? `${total} findings in the list, ${shown} of ${all} shown` : "";
    hits.hidden = total === 0;
    showHits(found);
  }

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

  function showHits(found) {
    hits.querySelector("tbody").replaceChildren(...found.slice(0, HITS).map(({ names: [rule, table, office], rows: fitting }) => {
      const line = document.createElement("tr");
      for (const text of [rule, table, office, fitting.length.toLocaleString("en"), runsOf(fitting)]) line.insertCell().textContent = text;
      line.cells[3].className = "n";
      if (document.getElementById(`f-${rule}`)) {
        const link = document.createElement("a");
        link.href = `#f-${rule}`;
        link.textContent = rule;
        line.cells[0].replaceChildren(link);
      }
      return line;
    }));
    if (found.length > HITS) hits.querySelector("tbody").insertRow().insertCell().textContent = `and ${found.length - HITS} more`;
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
    return texts.join(", ") + (runs.length > ROWS ? ` and ${runs.length - ROWS} more` : "");
  }

  function openTarget() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  }

  for (const f of forms) {
    f.hidden = false;
    f.addEventListener("submit", (event) => event.preventDefault());
  }
  findingSearch.addEventListener("input", searchFindings);
  search.addEventListener("input", filter);
  selects.forEach((s) => s.addEventListener("change", filter));
  addEventListener("hashchange", openTarget);
  let opened = [];
  addEventListener("beforeprint", () => { opened = [...document.querySelectorAll("details:not([open])")]; opened.forEach((d) => { d.open = true; }); });
  addEventListener("afterprint", () => opened.forEach((d) => { d.open = false; }));
  openTarget();
})();
