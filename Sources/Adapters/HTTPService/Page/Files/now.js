// What the centre does now: the machine as a map, the queue, who runs.

import { centre, now } from "./centre.js";
import { count, moment, percent, say } from "./words.js";
import { colourOf, expandHosts, hue, make, tableOf } from "./parts.js";

const uses = { i: "idle", m: "mixed", a: "allocated", r: "reserved", t: "maint", d: "drained", g: "draining", x: "down" };

// Where each node is drawn: racks as blocks of a few columns, side by side, systems under one another.
function arrange(width, cell) {
  const blocks = [];
  let system = null;
  let x = 0;
  let y = 0;
  let tallest = 0;
  const nextLine = () => { y += tallest + cell; x = 0; tallest = 0; };
  for (const block of centre.blocks) {
    const most = Math.max(1, Math.floor(width / cell));
    const across = block.count > 2048 ? most : Math.min(most, Math.ceil(Math.sqrt(block.count)));
    const rows = Math.ceil(block.count / across);
    const isNew = block.system !== system;
    if (blocks.length > 0 && (isNew || x + across * cell > width)) nextLine();
    if (isNew) y += 20;
    system = block.system;
    blocks.push({ ...block, x, y, across, rows, heading: isNew });
    x += (across + 1) * cell;
    tallest = Math.max(tallest, rows * cell);
  }
  return { cell, blocks, height: y + tallest + 2 };
}

// The largest cells with which the machine fits on one screen.
function layout(width) {
  for (let cell = 22; cell > 3; cell -= 1) {
    const plan = arrange(width, cell);
    if (plan.height <= Math.max(360, window.innerHeight - 230)) return plan;
  }
  return arrange(width, 3);
}

function boxOf(plan, index) {
  const block = plan.blocks.find((one) => index >= one.first && index < one.first + one.count);
  const place = index - block.first;
  return { x: block.x + (place % block.across) * plan.cell, y: block.y + Math.floor(place / block.across) * plan.cell };
}

function nodeAt(plan, x, y) {
  for (const block of plan.blocks) {
    const column = Math.floor((x - block.x) / plan.cell);
    const row = Math.floor((y - block.y) / plan.cell);
    const place = row * block.across + column;
    if (column >= 0 && column < block.across && row >= 0 && row < block.rows && place < block.count) return block.first + place;
  }
  return null;
}

const minute = 60e6;
const isOnNodes = (job) => ["RUNNING", "COMPLETING", "SUSPENDED"].includes(job.state);

// Whether a job holds nodes, or held them at an instant of the past.
function holdsAt(job, at) {
  if (at == null) return isOnNodes(job);
  return job.start != null && job.start <= at && job.state !== "PENDING" && (isOnNodes(job) || job.end > at);
}

// Who holds each node, or held it; nodes that jobs share belong to the last.
function holders(key, at) {
  const names = [];
  const owner = new Map();
  for (const job of centre.jobs.values()) {
    if (!holdsAt(job, at)) continue;
    let place = names.indexOf(job[key]);
    if (place < 0) place = names.push(job[key]) - 1;
    for (const node of expandHosts(job.node_list).map((name) => centre.place.get(name))) if (node != null) owner.set(node, place);
  }
  return { names, owner };
}

export function nowView() {
  const canvas = make("canvas", { tabindex: "0", role: "img", "aria-label": say("mapHelp") });
  const tip = make("div", { id: "tip", hidden: true });
  const spoken = make("p", { class: "skip", "aria-live": "polite" });
  const legend = make("ul", { class: "legend" });
  const choice = make("select", { id: "colour" },
    ["byUse", "byPartition", "byAccount", "byUser"].map((key) => make("option", { value: key }, say(key))));
  const day = make("input", { id: "day", type: "range", min: "-1440", max: "0", step: "5", value: "0" });
  const past = make("p", { class: "faint", role: "status" });
  const side = make("div");
  let instant = null; // of the past that the map shows; null for now
  let plan = null;
  let selected = null;

  function draw() {
    const width = canvas.clientWidth;
    if (width === 0 || centre.blocks.length === 0) return;
    plan = layout(width);
    const scale = window.devicePixelRatio || 1;
    canvas.width = width * scale;
    canvas.height = plan.height * scale;
    canvas.style.height = `${plan.height}px`;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "12px system-ui, sans-serif";
    const colours = Object.fromEntries(Object.entries(uses).map(([letter, name]) => [letter, colourOf(name)]));
    const key = { byPartition: "partition", byAccount: "account", byUser: "user" }[choice.value];
    const held = key || instant != null ? holders(key ?? "state", instant) : null;
    const free = (index) => colours[held && (instant != null || "ma".includes(centre.uses[index])) ? "i" : centre.uses[index]];
    const gap = plan.cell > 4 ? 1 : 0;
    for (const block of plan.blocks) {
      if (block.heading) {
        pen.fillStyle = colourOf("faint");
        pen.fillText(block.system, 0, block.y - 6);
      }
      for (let place = 0; place < block.count; place += 1) {
        const index = block.first + place;
        const owner = held?.owner.get(index);
        pen.fillStyle = owner == null ? free(index) : key ? hue(owner) : colours.a;
        pen.fillRect(block.x + (place % block.across) * plan.cell, block.y + Math.floor(place / block.across) * plan.cell,
          plan.cell - gap, plan.cell - gap);
      }
    }
    if (selected != null) {
      const box = boxOf(plan, selected);
      pen.strokeStyle = colourOf("ink");
      pen.lineWidth = 2;
      pen.strokeRect(box.x - 1, box.y - 1, plan.cell + 1, plan.cell + 1);
    }
    day.setAttribute("aria-valuetext", instant == null ? say("atNow") : moment(instant));
    past.textContent = instant == null ? "" : say("pastNote", moment(instant));
    showLegend(key ? held : null, held);
  }

  // Of the past, only what was used is counted.
  function countsOf(held) {
    if (instant == null) return new Map((centre.census?.nodes ?? []).map((row) => [row.use, row.count]));
    return new Map([["a", held.owner.size], ["i", centre.uses.length - held.owner.size]]);
  }

  function showLegend(owners, held) {
    const swatch = (colour) => {
      const mark = make("span", { class: "swatch" });
      mark.style.background = colour;
      return mark;
    };
    const counts = countsOf(held);
    legend.replaceChildren(...(owners
      ? owners.names.slice(0, 12).map((name, place) => make("li", {}, swatch(hue(place)), name))
      : Object.entries(uses).filter(([letter]) => counts.get(letter) > 0 || (instant == null ? "ima" : "ia").includes(letter))
        .map(([letter, name]) => make("li", {}, swatch(colourOf(name)), `${say(name)} ${count(counts.get(letter) ?? 0)}`))));
  }

  function describe(index) {
    const name = centre.names[index];
    const jobs = [...centre.jobs.values()].filter((job) => holdsAt(job, instant) && expandHosts(job.node_list).includes(name));
    const use = instant == null ? uses[centre.uses[index]] : jobs.length > 0 ? "allocated" : "idle";
    const text = jobs.slice(0, 3).map((job) => `${job.job_id} ${job.name} (${job.user})`).join(", ");
    return `${name}: ${say(use)}${text ? ` — ${text}` : ""}`;
  }

  function point(index) {
    if (index == null || !plan) { tip.hidden = true; return; }
    const box = boxOf(plan, index);
    tip.textContent = describe(index);
    tip.hidden = false;
    tip.style.top = `${box.y + plan.cell + 6}px`;
    tip.style.left = `${Math.max(0, Math.min(box.x, canvas.clientWidth - tip.offsetWidth - 4))}px`;
  }

  canvas.addEventListener("pointermove", (event) => point(plan && nodeAt(plan, event.offsetX, event.offsetY)));
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("click", (event) => {
    const index = plan && nodeAt(plan, event.offsetX, event.offsetY);
    if (index != null) location.hash = `#/node/${centre.names[index]}`;
  });
  canvas.addEventListener("keydown", (event) => {
    if (!plan) return;
    const across = plan.blocks.find((block) => (selected ?? 0) < block.first + block.count)?.across ?? 1;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
    if (event.key === "Enter" && selected != null) location.hash = `#/node/${centre.names[selected]}`;
    if (step == null) return;
    event.preventDefault();
    selected = Math.max(0, Math.min(centre.uses.length - 1, selected == null ? 0 : selected + step));
    draw();
    point(selected);
    spoken.textContent = describe(selected);
  });
  choice.addEventListener("change", draw);
  day.addEventListener("input", () => {
    instant = Number(day.value) === 0 ? null : now() + Number(day.value) * minute;
    draw();
  });

  function showSide() {
    const rows = centre.census?.jobs ?? [];
    const sums = (key, wanted) => {
      const found = new Map();
      for (const row of rows.filter(wanted)) {
        const sum = found.get(row[key]) ?? { jobs: 0, nodes: 0, cores: 0 };
        for (const name of Object.keys(sum)) sum[name] += row[name];
        found.set(row[key], sum);
      }
      return found;
    };
    const waiting = sums("partition", (row) => row.state === "PENDING");
    const running = sums("partition", (row) => row.state !== "PENDING");
    const partitions = [...new Set([...running.keys(), ...waiting.keys()])];
    const people = [...sums("user", (row) => row.state !== "PENDING")].sort((a, b) => b[1].cores - a[1].cores).slice(0, 10);
    const status = centre.status;
    side.replaceChildren(
      panel(say("use"), useLine(), make("p", {}, `${count(status.cores_held)} / ${count(status.cores)} ${say("cores")} (${percent(status.cores_held, status.cores)})`)),
      panel(say("queue"), partitions.length === 0 ? make("p", { class: "faint" }, say("emptyQueue"))
        : tableOf([say("partition"), say("running"), say("waiting"), say("askedCores")], partitions.map((name) => [
          make("a", { href: `#/jobs?partition:${name}` }, name), count(running.get(name)?.jobs ?? 0),
          count(waiting.get(name)?.jobs ?? 0), count(waiting.get(name)?.cores ?? 0)]), [1, 2, 3])),
      panel(say("who"), people.length === 0 ? make("p", { class: "faint" }, say("nobody"))
        : tableOf([say("user"), say("jobs"), say("nodes"), say("cores")], people.map(([name, sum]) => [
          make("a", { href: `#/jobs?user:${name}` }, name), count(sum.jobs), count(sum.nodes), count(sum.cores)]), [1, 2, 3])),
    );
  }

  function useLine() {
    const points = centre.history;
    const from = points[0]?.at ?? 0;
    const length = Math.max(1, (points[points.length - 1]?.at ?? 1) - from);
    const line = points.map(({ at, cores }) =>
      `${((320 * (at - from)) / length).toFixed(1)},${(58 - (54 * cores) / Math.max(1, centre.status.cores)).toFixed(1)}`);
    return make("svg", { viewBox: "0 0 320 60", role: "img", "aria-label": say("use") },
      make("line", { x1: 0, y1: 58, x2: 320, y2: 58, stroke: "currentColor", "stroke-opacity": 0.3 }),
      make("polyline", { points: line.join(" "), fill: "none", stroke: colourOf("allocated"), "stroke-width": 2 }));
  }

  const sizes = new ResizeObserver(draw);
  return {
    element: make("div", { class: "now" },
      make("section", { class: "map", "aria-labelledby": "map-title" },
        make("div", { class: "tools" }, make("h2", { id: "map-title" }, say("machine")), make("label", { for: "colour" }, say("colour")), choice,
          make("label", { for: "day" }, say("pastDay")), day),
        past, make("div", { class: "map" }, canvas, tip), spoken, legend),
      side),
    begin() { sizes.observe(canvas); },
    update() { if (centre.status) { draw(); showSide(); } },
    end() { sizes.disconnect(); },
  };
}

const panel = (title, ...children) => make("section", { class: "panel" }, make("h2", {}, title), ...children);
