// A slider for the day that is asked about, beside the field for it. Without this script the field
// does the same.
"use strict";

const DAY_MS = 86_400_000;

const form = document.querySelector("form[data-first]");
if (form) {
  const field = form.elements.as_of;
  const day = (text) => Math.round(Date.parse(text) / DAY_MS);
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", id: "as_of-slider", min: day(form.dataset.first), max: day(form.dataset.last) });
  slider.value = day(form.dataset.day);
  slider.setAttribute("aria-label", "The day, on the scale of the bars");
  slider.setAttribute("aria-valuetext", form.dataset.day);
  slider.addEventListener("input", () => {
    field.value = new Date(slider.value * DAY_MS).toISOString().slice(0, 10);
    slider.setAttribute("aria-valuetext", field.value);
  });
  slider.addEventListener("change", () => form.requestSubmit());
  field.after(slider);
}
