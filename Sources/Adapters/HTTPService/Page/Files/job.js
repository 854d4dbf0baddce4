// One job: its life as a line, what it holds, why it waits, its script.

import { centre, get, getText, now, post, Refusal } from "./centre.js";
import { bytes, count, moment, say, sayReason, shortMoment, span } from "./words.js";
import { colourOf, expandHosts, facts, make, show, tellTrouble } from "./parts.js";
import { jobName } from "./jobs.js";

export function jobView(id) {
  const element = make("div", {}, make("p", { class: "faint" }, say("loading")));
  const script = make("section", { class: "panel" });
  let job = null;
  let state = null;

  async function read() {
    try {
      job = (await get(`/v1/jobs/${id}`)).jobs.find((one) => one.job_id === id) ?? null;
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 404)) throw error;
      element.replaceChildren(make("p", { class: "empty" }, say("noJob", id)));
      return;
    }
    if (job) draw();
  }

  async function readScript() {
    try {
      script.replaceChildren(make("h2", {}, say("script")), make("pre", { tabindex: "0" }, await getText(`/v1/jobs/${id}/script`)));
    } catch {
      script.replaceChildren(make("h2", {}, say("script")), make("p", { class: "faint" }, say("noScript")));
    }
  }

  async function act(verb) {
    if (verb === "cancel" && !confirm(say("sure", jobName(job)))) return;
    try {
      await post(`/v1/jobs/${id}/${verb}`, {});
      await read();
    } catch (error) { alert(error.message); }
  }

  function draw() {
    const isWaiting = job.state === "PENDING";
    const ahead = [...centre.jobs.values()].filter((other) => other.state === "PENDING" && other.partition === job.partition
      && (other.priority > job.priority || (other.priority === job.priority && other.job_id < job.job_id))).length;
    const verbs = isWaiting ? ["cancel", job.reason.startsWith("JobHeld") ? "release" : "hold"]
      : ["RUNNING", "SUSPENDED"].includes(job.state) ? ["cancel"] : [];
    show(element,
      make("div", { class: "tools" }, make("h2", {}, `${say("job", jobName(job))} · ${job.name}`), make("strong", {}, job.state),
        verbs.map((verb) => make("button", { type: "button", onclick: () => act(verb) }, say(verb)))),
      isWaiting ? make("p", { class: "said" }, `${sayReason(job.reason)} ${ahead > 0 ? say("ahead", count(ahead)) : ""}`) : null,
      life(job),
      facts([
        [say("user"), `${job.user} · ${job.account}`], [say("partition"), job.partition], [say("qos"), job.qos],
        [say("nodes"), nodesOf(job)], [say("cores"), count(job.cores)], [say("tasks"), count(job.tasks)],
        [say("cards"), job.accelerators > 0 ? count(job.accelerators) : null], [say("memory"), job.memory == null ? null : bytes(job.memory)],
        [say("limit"), span(job.time_limit)], [say("time"), isWaiting ? null : span(job.run_time)], [say("priority"), count(job.priority)],
        [say("dependency"), job.dependency], [say("reservation"), job.reservation],
        [say("exit"), hasEnded(job) ? `${job.exit_code}:${job.signal}` : null], [say("restarts"), job.restarts > 0 ? job.restarts : null],
        [say("directory"), job.work_dir], [say("output"), job.std_out],
      ]),
      script);
  }

  return {
    element,
    begin() { readScript(); },
    update() {
      // Only what concerns this job is worth another question.
      const known = centre.jobs.get(id);
      const mark = JSON.stringify([known?.state, known?.reason, known?.node_list, known?.priority]);
      if (state !== mark) { state = mark; read().catch((error) => tellTrouble(element, error)); } else if (job) draw();
    },
    end() {},
  };
}

const hasEnded = (job) => !["PENDING", "RUNNING", "COMPLETING", "SUSPENDED"].includes(job.state);

function nodesOf(job) {
  const names = expandHosts(job.node_list);
  if (names.length === 0) return count(job.nodes);
  const links = names.slice(0, 6).map((name) => make("a", { href: `#/node/${name}` }, name, " "));
  return make("span", {}, `${count(job.nodes)}: `, ...links, names.length > 6 ? `… ${job.node_list}` : null);
}

// Submitted, may start, expected or started, ended or ends by, on one axis of time.
function life(job) {
  const isOver = hasEnded(job);
  const time = now();
  const marks = [
    [job.submit, "submitted"],
    job.eligible != null && job.eligible > job.submit ? [job.eligible, "eligible"] : null,
    job.state === "PENDING" && job.expected_start != null ? [job.expected_start, "expected"] : null,
    job.start != null ? [job.start, "started"] : null,
    job.end != null && job.state !== "PENDING" ? [job.end, isOver ? "ended" : "ends"] : null,
    isOver ? null : [time, "nowMark"],
  ].filter(Boolean).sort((one, other) => one[0] - other[0]);
  const from = marks[0][0];
  const length = Math.max(1, marks[marks.length - 1][0] - from);
  const x = (at) => 20 + (860 * (at - from)) / length;
  const start = job.start ?? null;
  const end = job.end != null && job.state !== "PENDING" ? job.end : null;
  // Neighbours that are close share no line of text.
  let level = 0;
  let deepest = 0;
  let last = -1000;
  const labels = marks.map(([at, key]) => {
    level = x(at) - last < 150 ? level + 1 : 0;
    deepest = Math.max(deepest, level);
    last = x(at);
    const anchor = x(at) > 700 ? "end" : "start";
    return make("g", {},
      make("line", { x1: x(at), x2: x(at), y1: 14, y2: 44, stroke: "currentColor" }),
      make("text", { x: x(at) + (anchor === "end" ? -4 : 4), y: 60 + 16 * level, "text-anchor": anchor }, `${say(key)} ${shortMoment(at)}`,
        make("title", {}, moment(at))));
  });
  return make("svg", { class: "life", viewBox: `0 0 900 ${70 + 16 * deepest}`, role: "img",
    "aria-label": marks.map(([at, key]) => `${say(key)} ${moment(at)}`).join(", ") },
  make("line", { x1: 20, x2: 880, y1: 29, y2: 29, stroke: "currentColor", "stroke-opacity": 0.35 }),
  start != null && end != null
    ? make("rect", { x: x(start), y: 22, width: Math.max(2, x(end) - x(start)), height: 14, rx: 3, fill: colourOf("allocated"), "fill-opacity": isOver ? 1 : 0.45 }) : null,
  start != null && end != null && !isOver
    ? make("rect", { x: x(start), y: 22, width: Math.max(2, x(time) - x(start)), height: 14, rx: 3, fill: colourOf("allocated") }) : null,
  ...labels);
}
