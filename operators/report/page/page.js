"use strict";
const viewer = document.getElementById("viewer");
const removedViewer = document.getElementById("removed-viewer");
const line = document.getElementById("line");
const split = document.getElementById("split");
const scroller = document.getElementById("scroller");
const caption = document.getElementById("caption");
const pairs = [...document.querySelectorAll(".pair")];
const removedImages = [...document.querySelectorAll(".removed")];

function showSplit() {
  for (const pair of pairs) pair.querySelector(".after").style.clipPath = `inset(0 0 0 ${split.value}%)`;
  line.style.left = `${split.value}%`;
  split.setAttribute("aria-valuetext", `line at ${split.value} percent`);
}

function showImage() {
  for (const images of [pairs, removedImages]) {
    images.forEach((image, index) => { image.hidden = index !== Number(scroller.value); });
  }
  caption.textContent = pairs[scroller.value].dataset.caption;
  scroller.setAttribute("aria-valuetext", caption.textContent);
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

function scroll(event) {
  event.preventDefault();
  move(scroller, Math.sign(event.deltaY), showImage);
}

function followKeys(steps) {
  return (event) => {
    const step = steps[event.key];
    if (step) { event.preventDefault(); move(...step); }
  };
}

split.addEventListener("input", showSplit);
scroller.addEventListener("input", showImage);
viewer.addEventListener("pointerdown", (event) => { viewer.setPointerCapture(event.pointerId); drag(event); });
viewer.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
const upAndDown = { ArrowUp: [scroller, -1, showImage], ArrowDown: [scroller, 1, showImage] };
const leftAndRight = { ArrowLeft: [split, -5, showSplit], ArrowRight: [split, 5, showSplit] };
for (const [box, steps] of [[viewer, { ...upAndDown, ...leftAndRight }], [removedViewer, upAndDown]]) {
  box.addEventListener("wheel", scroll, { passive: false });
  box.addEventListener("keydown", followKeys(steps));
}
showSplit();
showImage();
