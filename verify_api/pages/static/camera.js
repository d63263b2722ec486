// The camera at a counter: it opens and closes by buttons, and says at every moment what it does.
import { closeCamera, frameOf, openCamera, pause, PATIENCE_MS, PAUSE_MS, readFrame } from "../yinxin.web/frames.js";

export function prepareCamera(place, onLicence) {
  if (!navigator.mediaDevices?.getUserMedia) {
    say(place, place.dataset.refused);
    return;
  }
  const video = place.querySelector("video");
  const finder = place.querySelector("[data-viewfinder]");
  const start = place.querySelector("[data-start]");
  const stop = place.querySelector("[data-stop]");
  place.querySelector("[data-controls]").hidden = false;
  let stream = null;

  const close = (words, warning = false) => {
    closeCamera(stream);
    const had = stop === document.activeElement;
    stream = null;
    video.srcObject = null;
    finder.hidden = true;
    stop.hidden = true;
    start.hidden = false;
    if (had) start.focus();
    say(place, words, warning);
  };

  start.addEventListener("click", async () => {
    try {
      stream = await openCamera();
    } catch {
      say(place, place.dataset.refused, true);
      return;
    }
    const mine = stream;
    const isOpen = () => stream === mine; // closed and opened again, it is another one
    video.srcObject = stream;
    finder.hidden = false;
    start.hidden = true;
    stop.hidden = false;
    stop.focus();
    say(place, place.dataset.searching);
    try {
      await video.play();
    } catch {
      if (isOpen()) close(place.dataset.refused, true);
      return;
    }
    const answer = await search(place, video, isOpen);
    if (!isOpen()) return;
    if (answer === null) close(place.dataset.none);
    else if (answer.next?.startsWith("/q#")) {
      close(place.dataset.read);
      window.location.assign(answer.next);
    } else if (answer.licence) {
      close(place.dataset.read);
      onLicence(answer.licence);
    } else close(answer.message, true);
  });
  stop.addEventListener("click", () => close(""));
}

async function search(place, video, isOpen) {
  const until = performance.now() + PATIENCE_MS;
  while (isOpen() && performance.now() < until) {
    const frame = frameOf(video);
    if (frame) {
      const answer = await ask(place, frame);
      if (answer === undefined) say(place, place.dataset.busy);
      else {
        if (answer.found) return answer;
        say(place, place.dataset.searching);
      }
      if (answer === undefined) await pause(3000);
    }
    await pause(PAUSE_MS);
  }
  return null;
}

async function ask(place, frame) {
  try {
    return await readFrame(place.dataset.camera, frame);
  } catch {
    return undefined;
  }
}

function say(place, words, warning = false) {
  const line = place.querySelector("[data-said]");
  if (line.textContent !== words) line.textContent = words;
  line.classList.toggle("warning", warning);
}
