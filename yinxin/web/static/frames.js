// What every page with a camera shares: the camera, and the middle of its picture as plain luminance, which
// goes to the server one picture at a time and is not kept.
export const PATIENCE_MS = 60_000;
export const PAUSE_MS = 200;
const SIDE = 800; // pixels of a frame's side at most

export function openCamera() {
  const wanted = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
  return navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
}

export function closeCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

// The server's answer to one frame; undefined where it has none to give.
export async function readFrame(address, { side, luminance }) {
  const type = { "Content-Type": "application/octet-stream" };
  const place = `${address}?width=${side}&height=${side}`;
  const answer = await fetch(place, { method: "POST", headers: type, body: luminance });
  return answer.ok ? answer.json() : undefined;
}

export function frameOf(video) {
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

export function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
