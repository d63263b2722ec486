// What makes the pages handier where a script may run; without it every page works as it stands.

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

const scanner = document.querySelector("[data-scanner]");
if (scanner && "BarcodeDetector" in window && navigator.mediaDevices) {
  scanner.hidden = false;
  scanner.querySelector("[data-scan]").addEventListener("click", () => scan(scanner));
}

async function scan(place) {
  const video = place.querySelector("[data-scan-picture]");
  let stream = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    for (;;) {
      const found = await detector.detect(video);
      if (found.length > 0 && found[0].rawValue.includes(":")) {
        const link = document.querySelector("#link");
        link.value = found[0].rawValue;
        link.form.requestSubmit();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  } catch {
    place.querySelector("[data-scan-failed]").hidden = false;
  } finally {
    if (stream) for (const track of stream.getTracks()) track.stop();
    video.hidden = true;
  }
}
