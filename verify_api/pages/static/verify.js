// Dropping a file, the camera and printing. Without it, the forms work all the same.
import { prepareCamera } from "./camera.js";

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

for (const place of document.querySelectorAll("[data-drop]")) {
  const input = place.querySelector("input[type=file]");
  const form = input.form;
  const wrong = form.querySelector("[data-wrong]");

  const fits = () => {
    const file = input.files[0];
    const large = file !== undefined && file.size > Number(input.dataset.most);
    wrong.hidden = !large;
    wrong.textContent = large ? input.dataset.tooLarge : "";
    input.setAttribute("aria-invalid", String(large));
    return !large;
  };

  input.addEventListener("change", fits);
  form.addEventListener("submit", (event) => {
    if (!fits()) event.preventDefault();
  });
  for (const name of ["dragenter", "dragover"]) {
    place.addEventListener(name, (event) => {
      event.preventDefault();
      place.classList.add("is-over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    place.addEventListener(name, () => place.classList.remove("is-over"));
  }
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length !== 1) return;
    input.files = event.dataTransfer.files;
    if (fits()) form.requestSubmit(place.closest("section").querySelector("button"));
  });
}

for (const place of document.querySelectorAll("[data-camera]")) {
  prepareCamera(place, (licence) => {
    const field = document.getElementById("licence");
    const file = field.form.querySelector("input[type=file]");
    if (file) file.value = "";
    field.value = licence;
    field.form.requestSubmit(field.closest("section").querySelector("button"));
  });
}
