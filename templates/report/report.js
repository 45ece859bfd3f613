"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Sort a table by a column: numbers as numbers, the largest first.
const value = (row, column) => {
  const cell = row.cells[column];
  const text = cell.dataset.v ?? cell.textContent.trim();
  return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
};
const compare = (a, b) => {
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
  return typeof a === "number" ? 1 : -1;
};
for (const button of all("thead button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), table = head.closest("table"), column = head.cellIndex;
    const old = head.getAttribute("aria-sort");
    const falling = old ? old === "ascending" : head.classList.contains("n") && column > 0;
    for (const other of all("thead th", table)) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const body = table.tBodies[0], keys = new Map(all("tr", body).map(row => [row, value(row, column)]));
    const rows = [...keys.keys()].sort((a, b) => compare(keys.get(a), keys.get(b)) * (falling ? -1 : 1));
    body.append(...rows);
  });
}

// Search a table: every word must be in the row; a word that is in some path is looked for in paths alone.
// `#5-37` are rows by number.
for (const section of all(".layers")) {
  const input = section.querySelector("input[type=search]"), count = section.querySelector(".count");
  const rows = all("tbody tr", section), said = count.textContent;
  const path = row => row.cells[1].textContent.toLowerCase();
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const inPath = words.map(word => rows.some(row => path(row).includes(word)));
    const has = (row, word, n) => {
      const span = /^#(\d+)(?:-(\d+))?$/.exec(word), number = value(row, 0);
      if (span) return number >= Number(span[1]) && number <= Number(span[2] ?? span[1]);
      return (inPath[n] ? path(row) : row.textContent.toLowerCase()).includes(word);
    };
    const found = rows.filter(row => {
      row.hidden = !words.every((word, n) => has(row, word, n));
      return !row.hidden;
    });
    section.classList.toggle("searching", words.length > 0);
    count.textContent = words.length ? `${found.length} of ${said.split(",")[0]}` : said;
  });
}

// A row of the picture shows its layers in the table: those up to the first layer of the next row.
for (const picture of all("[data-layers]")) {
  const section = document.getElementById(picture.dataset.layers);
  const input = section.querySelector("input[type=search]");
  const layers = all("tbody tr", section).sort((a, b) => value(a, 0) - value(b, 0));
  const first = path => layers.findIndex(row => `${row.cells[1].firstChild.data.trim()}.`.startsWith(`${path}.`));
  const rows = all(".row", picture).map(row => ({row, start: first(row.dataset.path)})).filter(one => one.start >= 0);
  rows.sort((a, b) => a.start - b.start);
  if (rows.length) picture.querySelector("svg").setAttribute("role", "group");
  rows.forEach(({row, start}, place) => {
    const end = rows.slice(place).find(one => one.start > start)?.start ?? layers.length;
    row.setAttribute("role", "button");
    row.setAttribute("tabindex", "0");
    row.setAttribute("aria-label", `${row.querySelector("text")?.textContent ?? row.dataset.path}: show its layers`);
    const show = () => {
      input.value = end - start > 1 ? `#${start + 1}-${end}` : `#${end}`;
      input.dispatchEvent(new Event("input"));
      section.scrollIntoView();
      input.focus({preventScroll: true});
    };
    row.addEventListener("click", show);
    row.addEventListener("keydown", event => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      show();
    });
  });
}

// A line shows what it became, or where it came from.
const smooth = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
document.addEventListener("click", event => {
  const line = event.target.closest("[data-to]");
  if (!line || !getSelection().isCollapsed) return;
  event.preventDefault();
  for (const old of all(".hit")) old.classList.remove("hit");
  line.classList.add("hit");
  const targets = line.dataset.to.split(" ").map(id => document.getElementById(id));
  for (const target of targets) target.classList.add("hit");
  const box = targets[0].closest(".code");
  box.scrollTo({top: targets[0].offsetTop - box.offsetTop - box.clientHeight / 3, behavior: smooth});
  const place = box.getBoundingClientRect();
  if (place.bottom < 120 || place.top > innerHeight - 60) box.scrollIntoView({block: "nearest", behavior: smooth});
});
