// Tells each cell the name of its column, which a phone shows beside it; tables of two columns stay tables.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("article table.docutils")) {
    const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
    if (names.length < 3) continue;
    table.classList.add("cards");
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.cells].forEach((cell, index) => {
        cell.dataset.name = names[index] || "";
        cell.classList.toggle("nothing", !cell.textContent.trim());
      });
    }
  }
});
