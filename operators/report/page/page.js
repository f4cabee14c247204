"use strict";
const viewer = document.getElementById("viewer");
const line = document.getElementById("line");
const split = document.getElementById("split");
const place = document.getElementById("place");
const name = document.getElementById("name");
const pairs = [...document.querySelectorAll(".pair")];

function showSplit() {
  for (const pair of pairs) pair.querySelector(".after").style.clipPath = `inset(0 0 0 ${split.value}%)`;
  line.style.left = `${split.value}%`;
  split.setAttribute("aria-valuetext", `line at ${split.value} percent`);
}

function showPlace() {
  pairs.forEach((pair, index) => { pair.hidden = index !== Number(place.value); });
  name.textContent = pairs[place.value].dataset.name;
  place.setAttribute("aria-valuetext", name.textContent);
}

function move(input, steps, show) {
  input.value = Number(input.value) + steps;
  show();
}

function drag(event) {
  const box = viewer.getBoundingClientRect();
  split.value = Math.round(100 * (event.clientX - box.left) / box.width);
  showSplit();
}

split.addEventListener("input", showSplit);
place.addEventListener("input", showPlace);
viewer.addEventListener("pointerdown", (event) => { viewer.setPointerCapture(event.pointerId); drag(event); });
viewer.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
viewer.addEventListener("wheel", (event) => {
  event.preventDefault();
  move(place, Math.sign(event.deltaY), showPlace);
}, { passive: false });
viewer.tabIndex = 0;
viewer.addEventListener("keydown", (event) => {
  const way = { ArrowLeft: [split, -5, showSplit], ArrowRight: [split, 5, showSplit], ArrowUp: [place, -1, showPlace], ArrowDown: [place, 1, showPlace] }[event.key];
  if (way) { event.preventDefault(); move(...way); }
});
showSplit();
showPlace();
