// Draws the picture above the list: a lane for each country, a mark for a day, a bar for a date that
// isn't known to the day. Whatever the register says is put into the page as text, never as HTML.
"use strict";

const DAY_MS = 86_400_000;
const LABEL_PX = 290;
const LANE_PX = 140;
const SIGNS = { easing: "▲", tightening: "▼", neutral: "■" };

const figure = document.getElementById("picture");
const data = JSON.parse(document.getElementById("picture-data").textContent);

function labelled(item) {
  const label = document.createElement(item.address ? "a" : "span");
  label.className = "label";
  if (item.address) {
    label.href = item.address;
    // The list says the same to those who don't use a mouse.
    label.tabIndex = -1;
    label.draggable = false;
    if (document.body.classList.contains("framed")) Object.assign(label, { target: "_blank", rel: "noopener" });
  }
  label.textContent = item.address ? `${SIGNS[item.direction]} ${item.title}` : item.says;
  label.title = item.address ? `${item.when}: ${item.title} (${item.what}; ${item.means})` : `${item.of}: ${item.says}`;
  return label;
}

function event(item, index) {
  const isDay = item.sure && Date.parse(item.end) - Date.parse(item.begin) <= DAY_MS;
  return {
    id: `event-${index}`,
    group: item.lane,
    start: Date.parse(item.begin),
    ...(isDay ? { type: "point" } : { type: "range", end: Date.parse(item.end) }),
    className: `${item.direction}${item.sure ? "" : " unsure"}`,
    item,
  };
}

function span(item, index) {
  return {
    id: `span-${index}`,
    group: item.lane,
    type: "range",
    start: Date.parse(item.begin),
    end: Date.parse(item.end),
    className: `stand ${item.state}${item.sure ? "" : " unsure"}`,
    item,
  };
}

function lane([id, name], index) {
  const label = document.createElement("span");
  label.textContent = name;
  label.dir = "auto";
  return { id, content: label, order: index };
}

// The last labels need room beside their marks.
function wholeOf(canvas) {
  const [first, last] = [Date.parse(data.first), Date.parse(data.last)];
  const share = Math.min(LABEL_PX / (canvas.clientWidth - LANE_PX), 0.5);
  return [first, last + ((last - first) * share) / (1 - share)];
}

function draw() {
  figure.hidden = false;
  const canvas = figure.querySelector(".canvas");
  const [start, end] = wholeOf(canvas);
  const timeline = new vis.Timeline(
    canvas,
    [...data.spans.map(span), ...data.events.map(event)],
    data.lanes.map(lane),
    {
      align: "left",
      start,
      end,
      groupOrder: "order",
      margin: { item: { horizontal: 6, vertical: 3 }, axis: 6 },
      maxHeight: 520,
      minHeight: 120,
      moment: (instant) => moment.utc(instant),
      order: (one, other) => Boolean(one.item.address) - Boolean(other.item.address) || one.start - other.start,
      orientation: "top",
      selectable: false,
      showCurrentTime: false,
      showTooltips: false,
      template: (entry) => labelled(entry.item),
      verticalScroll: true,
      zoomKey: "ctrlKey",
      zoomMin: DAY_MS * 7,
    },
  );
  const steps = { nearer: () => timeline.zoomIn(0.5), further: () => timeline.zoomOut(0.5), whole: () => timeline.setWindow(start, end) };
  for (const [name, step] of Object.entries(steps)) {
    figure.querySelector(`button[name=${name}]`).addEventListener("click", step);
  }
}

draw();
