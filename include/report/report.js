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
  let rules;
  function searchFindings() {
    rules ??= [...document.querySelectorAll("#findings > details")].map((rule) => ({
      rule,
      name: rule.querySelector("summary").textContent.toLowerCase(),
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
    findingCount.textContent = words.length ? `${shown} of ${all} findings shown` : "";
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
