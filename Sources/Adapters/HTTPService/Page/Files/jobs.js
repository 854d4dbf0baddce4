// All jobs, as a list that shows only the rows in sight, with a search that reads words and comparisons.

import { centre, now } from "./centre.js";
import { count, say, sayReason, shortMoment, span } from "./words.js";
import { make } from "./parts.js";

const rowHeight = 30;
const abbreviations = { pd: "PENDING", r: "RUNNING", cg: "COMPLETING", s: "SUSPENDED", cd: "COMPLETED", ca: "CANCELLED", f: "FAILED", to: "TIMEOUT" };
const texts = { user: "user", account: "account", partition: "partition", name: "name", qos: "qos", state: "state", reason: "reason", node: "node_list", id: "job_id" };
const units = { s: 1, m: 60, h: 3600, d: 86400, "": 1 };

// How far a job is in microseconds, for words such as wait>1h.
const measures = {
  nodes: (job) => job.nodes,
  cores: (job) => job.cores,
  tasks: (job) => job.tasks,
  priority: (job) => job.priority,
  wait: (job) => (job.start ?? now()) - job.submit,
  time: (job) => job.run_time,
  limit: (job) => job.time_limit,
  start: (job) => (job.start == null ? null : Math.abs(now() - job.start)), // before now, or planned after it
};
const isSpan = new Set(["wait", "time", "limit", "start"]);

const pattern = (text) => new RegExp(`^${text.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*")}${text.includes("*") ? "$" : ""}`, "i");

// A test for jobs; throws what cannot be read.
export function parseSearch(text) {
  const tests = text.trim().split(/\s+/).filter(Boolean).map((word) => {
    const comparison = /^(\w+)(<=|>=|<|>|=)(\d+(?:\.\d+)?)([smhd]?)$/.exec(word);
    if (comparison && measures[comparison[1]]) {
      const [, name, sign, digits, unit] = comparison;
      const bound = Number(digits) * (isSpan.has(name) ? units[unit] * 1e6 : 1);
      if (unit && !isSpan.has(name)) throw new Error(word);
      return (job) => {
        const value = measures[name](job);
        if (value == null) return false;
        return sign === "<" ? value < bound : sign === ">" ? value > bound : sign === "<=" ? value <= bound : sign === ">=" ? value >= bound : value === bound;
      };
    }
    const field = /^(\w+):(.*)$/.exec(word);
    if (field) {
      const member = texts[field[1]];
      if (!member) throw new Error(word);
      const wanted = field[1] === "state" ? abbreviations[field[2].toLowerCase()] ?? field[2] : field[2];
      const match = pattern(wanted);
      return (job) => match.test(String(job[member] ?? ""));
    }
    if (/[<>=]/.test(word)) throw new Error(word);
    const match = pattern(word);
    return (job) => [job.name, job.user, job.account, String(job.job_id), job.partition].some((value) => match.test(value));
  });
  return (job) => tests.every((test) => test(job));
}

const order = { RUNNING: 0, COMPLETING: 0, SUSPENDED: 1, PENDING: 2 };
const compare = (one, other) =>
  (order[one.state] ?? 3) - (order[other.state] ?? 3)
  || (one.state === "PENDING" ? other.priority - one.priority || one.job_id - other.job_id : other.job_id - one.job_id);

export const jobName = (job) => (job.array_job_id == null ? String(job.job_id) : `${job.array_job_id}_${job.array_task_id}`);

export function jobsView(search) {
  const field = make("input", { id: "search", type: "search", placeholder: say("search"), "aria-label": say("search"), value: search });
  const note = make("p", { role: "status" });
  const inner = make("div", { class: "inner", role: "rowgroup" });
  const heads = ["id", "name", "user", "account", "partition", "state", "nodes", "cores", "time", "whereWhy"];
  const head = make("div", { class: "row head", role: "row" }, heads.map((key) => make("span", { role: "columnheader" }, say(key))));
  const list = make("div", { class: "list", role: "table", "aria-label": say("jobs") }, inner);
  let shown = [];
  let matches = () => true;

  function read() {
    try {
      matches = parseSearch(field.value);
      field.removeAttribute("aria-invalid");
      return true;
    } catch (error) {
      field.setAttribute("aria-invalid", "true");
      note.textContent = say("wrongSearch", error.message);
      return false;
    }
  }

  function select() {
    if (!read()) return;
    shown = [...centre.jobs.values()].filter(matches).sort(compare);
    note.textContent = say("found", count(shown.length), count(centre.jobs.size));
    inner.style.height = `${rowHeight * (shown.length + 1)}px`;
    draw();
  }

  function draw() {
    const first = Math.max(0, Math.floor(list.scrollTop / rowHeight) - 8);
    const last = Math.min(shown.length, first + Math.ceil(list.clientHeight / rowHeight) + 16);
    const focused = document.activeElement?.dataset?.job;
    const rows = [];
    for (let place = first; place < last; place += 1) rows.push(row(shown[place], place));
    if (shown.length === 0) rows.push(make("p", { class: "empty" }, say(centre.jobs.size === 0 ? "emptyQueue" : "noJobs")));
    inner.replaceChildren(head, ...rows);
    if (focused) inner.querySelector(`[data-job="${focused}"]`)?.focus({ preventScroll: true });
  }

  function row(job, place) {
    const time = job.state === "PENDING" ? shortMoment(job.submit) : span(job.run_time);
    const last = job.state === "PENDING" ? sayReason(job.reason) : job.node_list;
    const cells = [jobName(job), job.name, job.user, job.account, job.partition, job.state, count(job.nodes), count(job.cores), time, last];
    const element = make("a", { class: "row", role: "row", href: `#/job/${job.job_id}`, "data-job": job.job_id, "aria-rowindex": place + 2 },
      cells.map((cell) => make("span", { role: "cell", title: cell }, cell)));
    element.style.top = `${rowHeight * (place + 1)}px`;
    return element;
  }

  list.addEventListener("scroll", draw);
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const place = shown.findIndex((job) => String(job.job_id) === document.activeElement?.dataset?.job);
    if (step == null || place < 0) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(shown.length - 1, place + step));
    list.scrollTop = Math.max(0, Math.min(list.scrollTop, rowHeight * next));
    if (rowHeight * (next + 2) > list.scrollTop + list.clientHeight) list.scrollTop = rowHeight * (next + 2) - list.clientHeight;
    draw();
    inner.querySelector(`[data-job="${shown[next].job_id}"]`)?.focus({ preventScroll: true });
  });
  field.addEventListener("input", () => {
    history.replaceState(null, "", `#/jobs${field.value ? `?${encodeURIComponent(field.value)}` : ""}`);
    list.scrollTop = 0;
    select();
  });
  return {
    element: make("div", {}, make("div", { class: "tools" }, field, note), list),
    begin() {},
    update: select,
    end() {},
  };
}
