// What makes the pages handier where a script may run; without it every page works as it stands.
import { closeCamera, frameOf, openCamera, pause, PATIENCE_MS, PAUSE_MS, readFrame } from "../yinxin.web/frames.js";

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

const handlers = document.querySelector("[data-handlers]");
if (handlers && "registerProtocolHandler" in navigator) {
  handlers.hidden = false;
  handlers.querySelector("[data-handlers-button]").addEventListener("click", () => {
    let allowed = false;
    for (const [scheme, task] of [["openid-credential-offer", "receive"], ["openid4vp", "present"]]) {
      try {
        navigator.registerProtocolHandler(scheme, `${location.origin}/${task}?link=%s`);
        allowed = true;
      } catch {
        // Most browsers keep the list of schemes that pages may open short.
      }
    }
    handlers.querySelector("[data-handlers-yes]").hidden = !allowed;
    handlers.querySelector("[data-handlers-no]").hidden = allowed;
  });
}

// The camera. Where the browser reads no codes itself, the server does.
const scanner = document.querySelector("[data-scanner]");
const reads = "BarcodeDetector" in window;
if (scanner && navigator.mediaDevices?.getUserMedia && (reads || scanner.dataset.decoder)) {
  scanner.hidden = false;
  scanner.querySelector("[data-scan]").addEventListener("click", () => scan(scanner));
}

async function scan(place) {
  const video = place.querySelector("[data-scan-picture]");
  const searching = place.querySelector("[data-scan-searching]");
  const failed = place.querySelector("[data-scan-failed]");
  failed.hidden = true;
  let stream = null;
  try {
    stream = await openCamera();
    video.srcObject = stream;
    video.hidden = false;
    searching.hidden = false;
    await video.play();
    const link = await search(place, video);
    if (link) {
      const field = document.querySelector("#link");
      field.value = link;
      field.form.requestSubmit();
      return;
    }
    failed.hidden = false;
  } catch {
    failed.hidden = false;
  } finally {
    closeCamera(stream);
    video.hidden = true;
    searching.hidden = true;
  }
}

async function search(place, video) {
  const read = await reader(place);
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    const link = await read(video);
    if (link) return link;
    await pause(PAUSE_MS);
  }
  return null;
}

async function reader(place) {
  const known = reads ? await BarcodeDetector.getSupportedFormats() : [];
  if (known.includes("qr_code")) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (video) => {
      const texts = (await detector.detect(video)).map((code) => code.rawValue);
      return texts.find((text) => /[?&](credential_offer|request)(_uri)?=/.test(text));
    };
  }
  return async (video) => {
    const frame = frameOf(video);
    return frame ? (await readFrame(place.dataset.decoder, frame))?.link : null;
  };
}
