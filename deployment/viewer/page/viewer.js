"use strict";
// Follows the events, newest on top. Whatever they say is put into the page as text (textContent), never as markup.
const SHOWN = 500;
const rows = document.getElementById("events");
const state = document.getElementById("state");
const filter = document.getElementById("filter");

function cell(row, text) {
  row.insertCell().textContent = text ?? "";
}

function fits(row) {
  return row.dataset.text.includes(filter.value.toLowerCase());
}

function show(text) {
  const event = JSON.parse(text);
  const row = rows.insertRow(0);
  row.dataset.text = text.toLowerCase();
  for (const name of ["time", "type", "source", "subject"]) cell(row, event[name]);
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const whole = document.createElement("pre");
  summary.textContent = event.id;
  whole.textContent = JSON.stringify(event, null, 2);
  details.append(summary, whole);
  row.insertCell().append(details);
  row.hidden = !fits(row);
  while (rows.rows.length > SHOWN) rows.deleteRow(-1);
}

filter.addEventListener("input", () => {
  for (const row of rows.rows) row.hidden = !fits(row);
});

const source = new EventSource("events/live");
source.onopen = () => { state.textContent = "live"; };
source.onerror = () => { state.textContent = "not connected"; };
source.onmessage = (message) => show(message.data);
