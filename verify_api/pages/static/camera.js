// The camera: the middle of each picture goes to the server as plain luminance, one at a time, and is not kept.
const SIDE = 800; // pixels of a frame's side at most
const PAUSE_MS = 200;
const PATIENCE_MS = 60_000;

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
    for (const track of stream?.getTracks() ?? []) track.stop();
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
      const wanted = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
      stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
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
    const frame = picture(video);
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

async function ask(place, { side, luminance }) {
  try {
    const address = `${place.dataset.camera}?width=${side}&height=${side}`;
    const type = { "Content-Type": "application/octet-stream" };
    const answer = await fetch(address, { method: "POST", headers: type, body: luminance });
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}

function picture(video) {
  const whole = Math.min(video.videoWidth, video.videoHeight);
  if (whole < 64) return null;
  const side = Math.min(whole, SIDE);
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const drawing = canvas.getContext("2d", { willReadFrequently: true });
  const left = (video.videoWidth - whole) / 2;
  const top = (video.videoHeight - whole) / 2;
  drawing.drawImage(video, left, top, whole, whole, 0, 0, side, side);
  const { data } = drawing.getImageData(0, 0, side, side);
  const luminance = new Uint8Array(side * side);
  for (let to = 0, from = 0; to < luminance.length; to += 1, from += 4) {
    luminance[to] = (77 * data[from] + 150 * data[from + 1] + 29 * data[from + 2]) >> 8;
  }
  return { side, luminance };
}

function say(place, words, warning = false) {
  const line = place.querySelector("[data-said]");
  if (line.textContent !== words) line.textContent = words;
  line.classList.toggle("warning", warning);
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
