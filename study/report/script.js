"use strict";
// What every page has: a theme to choose, tables to sort and to filter.

(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const dark = () =>
    root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
  const stored = (value) => {
    try { // a page opened from a file may not be allowed to store anything
      if (value) localStorage.setItem("theme", value);
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  };
  const show = () => { button.textContent = dark() ? "Light theme" : "Dark theme"; };
  const before = stored();
  if (before === "light" || before === "dark") root.dataset.theme = before;
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    stored(root.dataset.theme);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  button.hidden = false;
  show();
})();

const makeSortable = (() => {
  const value = (row, column) => {
    const cell = row.cells[column];
    return (cell.dataset.value ?? cell.textContent).trim();
  };
  const compare = (a, b) => {
    const difference = Number(a) - Number(b);
    return Number.isNaN(difference) ? a.localeCompare(b, "en", { numeric: true }) : difference;
  };
  const sort = (table, column, direction) => {
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => {
      const [x, y] = [value(a, column), value(b, column)];
      if (!x || !y) return (x ? 0 : 1) - (y ? 0 : 1); // what is missing stays below
      return direction * compare(x, y);
    });
    table.tBodies[0].append(...rows);
  };
  return (table) => {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const first = table.tBodies[0].rows[0]?.cells[column];
      heading.classList.toggle("number", first?.classList.contains("number") ?? false);
      if (!table.classList.contains("sortable") || !heading.textContent.trim()) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const ascending = heading.getAttribute("aria-sort") !== "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        sort(table, column, ascending ? 1 : -1);
      });
    });
  };
})();
document.querySelectorAll("table").forEach(makeSortable);

// What is long becomes elements once a reader comes near, filters it or prints the page.
const fill = (part) => {
  if (!part.firstElementChild.matches("noscript")) return;
  part.innerHTML = part.firstElementChild.textContent;
  part.querySelectorAll("table").forEach(makeSortable);
};
const fillAll = (place) => place.querySelectorAll(".later").forEach(fill);
const near = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) if (isIntersecting) fill(target);
}, { rootMargin: "1000px" });
document.querySelectorAll(".later").forEach((part) => near.observe(part));

for (const input of document.querySelectorAll("input[data-filters]")) {
  let rows;
  const find = () => {
    fillAll(input.closest("section"));
    return [...document.querySelectorAll(input.dataset.filters)]
      .flatMap((table) => [...table.tBodies[0].rows])
      .map((row) => ({ row, text: row.textContent.toLowerCase() }));
  };
  const count = input.closest(".filter").querySelector("output");
  input.closest(".filter").hidden = false;
  input.addEventListener("input", () => {
    rows ??= find();
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { row, text } of rows) row.hidden = !words.every((word) => text.includes(word));
    // a table that is folded away repeats rows of one that is not
    const counted = rows.filter(({ row }) => !row.closest("details"));
    const shown = counted.filter(({ row }) => !row.hidden).length;
    count.textContent = `${words.length ? `${shown} of ` : ""}${counted.length} rows`;
  });
}

addEventListener("beforeprint", () => {
  fillAll(document);
  for (const details of document.querySelectorAll("details")) details.open = true;
});
