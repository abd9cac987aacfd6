"use strict";
const value = (cell) => cell.dataset.value ?? cell.textContent;

for (const button of document.querySelectorAll("th button")) button.addEventListener("click", () => {
  const head = button.parentElement, at = head.cellIndex, body = head.closest("table").tBodies[0];
  const first = head.classList.contains("number") ? "descending" : "ascending";
  const second = first === "ascending" ? "descending" : "ascending";
  const way = head.ariaSort === first ? second : first;
  const rows = [...body.rows].sort((a, b) =>
    value(a.cells[at]).localeCompare(value(b.cells[at]), "en", {numeric: true}) * (way === "ascending" ? 1 : -1));
  for (const other of head.parentElement.cells) other.ariaSort = "none";
  head.ariaSort = way;
  body.append(...rows);
});

// Policies are told apart by both ends of their names: what does not fit is left out between them.
function shortened(at) {
  const name = this.getLabelForValue(at), most = Math.max(9, Math.floor(this.chart.width * 0.06));
  return name.length > most ? `${name.slice(0, Math.ceil(most / 2))}…${name.slice(-Math.floor(most / 2))}` : name;
}

// A plot has its figures from the table below it, in the order in which that came.
const charts = [];
const color = (name) => getComputedStyle(document.querySelector(`.key-${name}`)).color;

for (const plot of document.querySelectorAll(".plot")) {
  const table = plot.parentElement.querySelector("table"), across = plot.dataset.across === "yes";
  const rows = [...table.tBodies[0].rows], modes = plot.dataset.modes.split(" ");
  plot.style.height = across ? `${Math.max(7, 3 + 2.2 * rows.length)}rem` : "18rem";
  plot.hidden = false;
  const canvas = plot.querySelector("canvas"), counted = {stacked: true, grid: {}, ticks: {precision: 0}, beginAtZero: true};
  const turned = {stacked: true, grid: {}, ticks: across ? {autoSkip: false, callback: shortened} : {}};
  charts.push(new Chart(canvas, {
    type: "bar",
    data: {
      labels: rows.map((row) => row.cells[0].textContent),
      datasets: modes.map((mode, at) => ({
        label: mode, data: rows.map((row) => Number(value(row.cells[at + 1]))), hidden: mode === "nothing", maxBarThickness: 40,
      })),
    },
    options: {
      animation: false, maintainAspectRatio: false, indexAxis: across ? "y" : "x",
      interaction: {mode: "index", axis: across ? "y" : "x", intersect: false},
      plugins: {legend: {display: false}},
      scales: across ? {x: counted, y: turned} : {x: turned, y: counted},
    },
  }));
  const chart = charts.at(-1), keys = plot.parentElement.querySelector(".keys");
  keys.hidden = false;
  for (const [at, key] of [...keys.querySelectorAll("button")].entries()) key.addEventListener("click", () => {
    const shown = !chart.isDatasetVisible(at);
    chart.setDatasetVisibility(at, shown);
    key.ariaPressed = String(shown);
    chart.update();
  });
}

// Colours are the style sheet's; a canvas has to be told when the reader changes between light and dark.
const paint = () => {
  for (const chart of charts) {
    for (const set of chart.data.datasets) set.backgroundColor = color(set.label);
    for (const scale of Object.values(chart.options.scales)) {
      scale.ticks.color = color("dim");
      scale.grid.color = color("line");
    }
    chart.update();
  }
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
paint();
