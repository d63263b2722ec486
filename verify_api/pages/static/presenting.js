// Looks again and again how a presentation stands, and opens the page anew when it is over.
const PAUSE_MS = 2000;
const place = document.querySelector("[data-poll]");

async function look() {
  try {
    const answer = await fetch(place.dataset.poll, { headers: { Accept: "application/json" } });
    if (answer.status === 401 || answer.status === 404) return window.location.reload();
    if (answer.ok) {
      const { state, words, over } = await answer.json();
      if (over) return window.location.reload();
      if (state !== place.dataset.state) {
        place.dataset.state = state;
        place.querySelector("[data-said]").textContent = words;
      }
    }
  } catch {
    // Away for a moment: the next look will do, and the button stays.
  }
  return setTimeout(look, PAUSE_MS);
}

if (place) setTimeout(look, PAUSE_MS);
