// Past, present and future of the nodes as a Gantt chart: what ran, what runs until its limit, what is planned.

import { centre, get, now } from "./centre.js";
import { clockTime, count, moment, say, shortMoment } from "./words.js";
import { colourOf, expandHosts, hue, make, tableOf, tellTrouble } from "./parts.js";
import { jobName, parseSearch } from "./jobs.js";

const minute = 60e6;
const [margin, foot, chartHeight] = [86, 24, 520];
const shortest = minute / 6;
const longest = 400 * 1440 * minute;
const steps = [1 / 60, 1 / 12, 1 / 4, 1, 5, 15, 60, 180, 360, 720, 1440, 2880, 10080, 43200].map((count) => count * minute);
// A look ahead is a replay of all that waits: it is not asked for often, and not for a whole crowd.
const forecastEvery = 15000;
const forecastMost = 5000;

// Rows that a list of hosts takes, as runs of neighbours.
function runsOf(hosts, row) {
  const rows = expandHosts(hosts).map((name) => row.get(centre.place.get(name))).filter((place) => place != null).sort((a, b) => a - b);
  const runs = [];
  for (const place of rows) {
    const last = runs[runs.length - 1];
    if (last && place === last[1] + 1) last[1] = place;
    else runs.push([place, place]);
  }
  return runs;
}

export function timelineView(search) {
  const canvas = make("canvas", { tabindex: "0", role: "img", "aria-label": say("timelineHelp") });
  const tip = make("div", { id: "tip", hidden: true });
  const field = make("input", { id: "search", type: "search", placeholder: say("search"), "aria-label": say("search"), value: search });
  const choice = make("select", { "aria-label": say("colour") },
    ["byAccount", "byUser", "byPartition"].map((key) => make("option", { value: key }, say(key))));
  const buttons = [["zoomIn", () => zoom(0.5)], ["zoomOut", () => zoom(2)], ["toNow", home]]
    .map(([key, onclick]) => make("button", { type: "button", onclick }, say(key)));
  const note = make("p", { class: "faint", role: "status" });
  const next = make("section", { class: "panel" });
  let planned = new Map();
  let asked = -Infinity;
  let bars = [];
  let nodes = []; // the nodes that have a row, as places in the machine
  let window = null; // what is shown of time
  let rows = null; // and of the rows
  let drag = null;

  const width = () => canvas.clientWidth - margin;
  const xOf = (at) => margin + (width() * (at - window[0])) / (window[1] - window[0]);
  const yOf = (place) => ((chartHeight - foot) * (place - rows[0])) / (rows[1] - rows[0]);
  const timeAt = (x) => window[0] + ((x - margin) * (window[1] - window[0])) / width();
  const placeAt = (y) => rows[0] + (y * (rows[1] - rows[0])) / (chartHeight - foot);

  function home() {
    const time = now();
    const near = (at) => Math.abs(at - time) < 3 * 1440 * minute;
    const first = bars.map((bar) => bar.from).filter(near).reduce((one, other) => Math.min(one, other), time);
    const last = bars.map((bar) => bar.until).filter(near).reduce((one, other) => Math.max(one, other), time);
    // Some room on both sides, so that what begins or ends now can be seen.
    const room = Math.max(15 * minute, (last - first) / 20);
    window = [first - room, last + room];
    rows = [0, Math.max(1, nodes.length)];
    draw();
  }

  function zoom(factor, around = now()) {
    if (!window) return;
    const length = Math.max(shortest, Math.min(longest, (window[1] - window[0]) * factor));
    const middle = around > window[0] && around < window[1] ? around : (window[0] + window[1]) / 2;
    const share = (middle - window[0]) / (window[1] - window[0]);
    window = [middle - share * length, middle + (1 - share) * length];
    draw();
  }

  function zoomRows(factor, around) {
    if (nodes.length === 0) return;
    const length = Math.max(Math.min(4, nodes.length), Math.min(nodes.length, (rows[1] - rows[0]) * factor));
    const first = around - ((around - rows[0]) / (rows[1] - rows[0])) * length;
    moveRows(first, length);
  }

  function moveRows(first, length = rows[1] - rows[0]) {
    const from = Math.max(0, Math.min(nodes.length - length, first));
    rows = [from, from + length];
    draw();
  }

  function pan(by) {
    window = [window[0] + by, window[1] + by];
    draw();
  }

  // Jobs that had, have or will have nodes.
  function collect() {
    let matches = () => true;
    try {
      matches = parseSearch(field.value);
      field.removeAttribute("aria-invalid");
    } catch { field.setAttribute("aria-invalid", "true"); }
    const found = [];
    for (const job of centre.jobs.values()) {
      const plan = job.state === "PENDING" ? planned.get(job.job_id) : null;
      const [from, until] = plan ? [plan.expected_start, plan.expected_start + job.time_limit] : [job.start, job.end];
      const hosts = plan ? plan.scheduled_nodes : job.node_list;
      if (from == null || until == null || until <= from || !hosts) continue;
      found.push({ job, from, until, hosts, isPlan: plan != null, isShown: matches({ ...job, start: from }) });
    }
    const used = new Set(found.flatMap((bar) => expandHosts(bar.hosts).map((name) => centre.place.get(name))));
    used.delete(undefined);
    nodes = [...used].sort((a, b) => a - b);
    const row = new Map(nodes.map((node, place) => [node, place]));
    bars = found.map((bar) => ({ ...bar, runs: runsOf(bar.hosts, row) }));
  }

  function draw() {
    if (canvas.clientWidth === 0 || !window) return;
    const scale = globalThis.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [canvas.clientWidth * scale, chartHeight * scale];
    canvas.style.height = `${chartHeight}px`;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "12px system-ui, sans-serif";
    drawAxes(pen);
    pen.save();
    pen.beginPath();
    pen.rect(margin, 0, width(), chartHeight - foot);
    pen.clip();
    const key = { byAccount: "account", byUser: "user", byPartition: "partition" }[choice.value];
    const names = [];
    for (const bar of bars) {
      let place = names.indexOf(bar.job[key]);
      if (place < 0) place = names.push(bar.job[key]) - 1;
      if (bar.until < window[0] || bar.from > window[1]) continue;
      const [left, right] = [xOf(bar.from), xOf(bar.until)];
      pen.fillStyle = pen.strokeStyle = hue(place);
      for (const [first, last] of bar.runs) {
        const [top, bottom] = [yOf(first), yOf(last + 1)];
        const box = [left, top, Math.max(1, right - left - 1), Math.max(1, bottom - top - (bottom - top > 4 ? 1 : 0))];
        // What is planned is an outline, so that it is told apart without its colour.
        pen.globalAlpha = !bar.isShown ? 0.08 : bar.isPlan ? 0.25 : 0.85;
        pen.fillRect(...box);
        pen.globalAlpha = bar.isShown ? 1 : 0.1;
        if (bar.isPlan && box[2] > 2 && box[3] > 2) pen.strokeRect(box[0] + 0.5, box[1] + 0.5, box[2] - 1, box[3] - 1);
      }
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = colourOf("down");
    pen.beginPath();
    pen.moveTo(xOf(now()), 0);
    pen.lineTo(xOf(now()), chartHeight - foot);
    pen.stroke();
    pen.restore();
  }

  function drawAxes(pen) {
    pen.fillStyle = pen.strokeStyle = colourOf("faint");
    const step = steps.find((one) => width() / ((window[1] - window[0]) / one) > 110) ?? steps[steps.length - 1];
    pen.textAlign = "center";
    // Whole hours and days of the centre's clock, eight hours ahead of UTC.
    const offset = 480 * minute;
    for (let at = Math.ceil((window[0] + offset) / step) * step - offset; at < window[1]; at += step) {
      pen.globalAlpha = 0.25;
      pen.fillRect(xOf(at), 0, 1, chartHeight - foot);
      pen.globalAlpha = 1;
      pen.fillText(step < minute ? clockTime(at) : shortMoment(at), xOf(at), chartHeight - 8);
    }
    pen.textAlign = "right";
    const every = Math.max(1, Math.ceil((16 * (rows[1] - rows[0])) / (chartHeight - foot)));
    for (let place = Math.ceil(rows[0] / every) * every; place < rows[1] && place < nodes.length; place += every) {
      pen.fillText(centre.names[nodes[place]], margin - 6, yOf(place) + Math.min(12, yOf(place + 1) - yOf(place)), margin - 8);
    }
  }

  function barAt(x, y) {
    if (!window || x < margin || y > chartHeight - foot) return null;
    const [at, place] = [timeAt(x), Math.floor(placeAt(y))];
    return bars.findLast((bar) => bar.isShown && bar.from <= at && at <= bar.until
      && bar.runs.some(([first, last]) => first <= place && place <= last)) ?? null;
  }

  function point(event) {
    const bar = barAt(event.offsetX, event.offsetY);
    tip.hidden = bar == null;
    if (!bar) return;
    const kind = bar.isPlan ? say("planned") : bar.job.state;
    tip.textContent = `${jobName(bar.job)} ${bar.job.name} (${bar.job.user}) · ${kind} · ${moment(bar.from)} – ${moment(bar.until)}`;
    tip.style.top = `${event.offsetY + 16}px`;
    tip.style.left = `${Math.max(0, Math.min(event.offsetX, canvas.clientWidth - tip.offsetWidth - 4))}px`;
  }

  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.offsetX, y: event.offsetY, window, rows, hasMoved: false };
    if (event.pointerType === "mouse") canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) { point(event); return; }
    const [dx, dy] = [event.offsetX - drag.x, event.offsetY - drag.y];
    drag.hasMoved ||= Math.abs(dx) + Math.abs(dy) > 4;
    if (!drag.hasMoved) return;
    tip.hidden = true;
    const by = (-dx * (drag.window[1] - drag.window[0])) / width();
    window = [drag.window[0] + by, drag.window[1] + by];
    moveRows(drag.rows[0] - (dy * (drag.rows[1] - drag.rows[0])) / (chartHeight - foot));
  });
  canvas.addEventListener("pointerup", (event) => {
    const bar = drag && !drag.hasMoved ? barAt(event.offsetX, event.offsetY) : null;
    drag = null;
    if (bar) location.hash = `#/job/${bar.job.job_id}`;
  });
  canvas.addEventListener("pointercancel", () => { drag = null; });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  canvas.addEventListener("wheel", (event) => {
    if (!window) return;
    event.preventDefault();
    const factor = event.deltaY > 0 ? 1.25 : 0.8;
    if (event.shiftKey) zoomRows(factor, placeAt(event.offsetY));
    else zoom(factor, timeAt(event.offsetX));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (!window) return;
    const tenth = (window[1] - window[0]) / 10;
    const act = {
      ArrowLeft: () => pan(-tenth), ArrowRight: () => pan(tenth), Home: home, "+": () => zoom(0.5), "-": () => zoom(2),
      ArrowUp: () => moveRows(rows[0] - (rows[1] - rows[0]) / 10), ArrowDown: () => moveRows(rows[0] + (rows[1] - rows[0]) / 10),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  choice.addEventListener("change", draw);
  field.addEventListener("input", () => {
    history.replaceState(null, "", `#/timeline${field.value ? `?${encodeURIComponent(field.value)}` : ""}`);
    show();
  });

  function show() {
    const hadRows = rows != null && rows[1] - rows[0] === Math.max(1, nodes.length);
    collect();
    if (!window) home();
    else if (hadRows || rows[1] > nodes.length) rows = [0, Math.max(1, nodes.length)];
    draw();
    const soon = bars.filter((bar) => bar.isPlan && bar.isShown).sort((a, b) => a.from - b.from).slice(0, 12);
    next.replaceChildren(make("h2", {}, say("nextStarts")), soon.length === 0 ? make("p", { class: "faint" }, say("noPlan"))
      : tableOf([say("id"), say("name"), say("user"), say("expected"), say("nodes")], soon.map((bar) => [
        make("a", { href: `#/job/${bar.job.job_id}` }, jobName(bar.job)), bar.job.name, bar.job.user, moment(bar.from), bar.hosts])));
  }

  async function ask() {
    const waiting = centre.status?.jobs_pending ?? 0;
    note.textContent = waiting > forecastMost ? say("tooManyForPlan", count(waiting)) : "";
    if (waiting === 0 || waiting > forecastMost) { planned = new Map(); show(); return; }
    if (performance.now() - asked < forecastEvery) return;
    asked = performance.now();
    const list = await get("/v1/jobs?state=PENDING&fields=job_id,expected_start,scheduled_nodes&ahead=1");
    planned = new Map(list.jobs.filter((job) => job.expected_start != null).map((job) => [job.job_id, job]));
    show();
  }

  const sizes = new ResizeObserver(draw);
  return {
    element: make("div", {}, make("div", { class: "tools" }, make("h2", {}, say("timeline")), field, choice, buttons), note,
      make("div", { class: "map timeline" }, canvas, tip), next),
    begin() { sizes.observe(canvas); },
    update() {
      if (!centre.status) return;
      show();
      ask().catch((error) => tellTrouble(next, error));
    },
    end() { sizes.disconnect(); },
  };
}
