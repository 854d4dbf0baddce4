// One node: what it is, what it does, and which cores are held.

import { centre, get } from "./centre.js";
import { bytes, count, moment, say, span } from "./words.js";
import { colourOf, expandHosts, facts, make, show, tableOf, tellTrouble } from "./parts.js";

export function nodeView(name) {
  const element = make("div", {}, make("p", { class: "faint" }, say("loading")));
  let use = null;

  async function read() {
    const group = (await get(`/v1/nodes?name=${encodeURIComponent(name)}`)).groups[0];
    const node = group?.node;
    if (!node) { element.replaceChildren(make("p", { class: "empty" }, say("noNode", name))); return; }
    const jobs = [...centre.jobs.values()].filter((job) =>
      ["RUNNING", "COMPLETING", "SUSPENDED"].includes(job.state) && expandHosts(job.node_list).includes(name));
    show(element,
      make("div", { class: "tools" }, make("h2", {}, say("node", name)), make("strong", {}, [node.state, ...node.flags].join("+"))),
      node.reason ? make("p", { class: "said" }, `${say("reason")}: ${node.reason} (${node.reason_user ?? "?"}, ${say("since")} ${moment(node.reason_time)})`) : null,
      inside(node),
      facts([
        [say("type"), node.node_type], [say("partitions"), node.partitions.join(", ")],
        [say("cores"), `${count(node.cores_held)} / ${count(node.cores)}`], [say("memory"), `${bytes(node.memory_held)} / ${bytes(node.memory)}`],
        [say("cards"), node.accelerators > 0 ? `${count(node.accelerators_held)} / ${count(node.accelerators)} (${node.gres ?? ""})` : null],
        [say("features"), node.features], [say("system"), node.operating_system],
      ]),
      make("section", { class: "panel" }, make("h2", {}, say("holds")), jobs.length === 0 ? make("p", { class: "faint" }, say("nobody"))
        : tableOf([say("id"), say("name"), say("user"), say("account"), say("time"), say("limit")], jobs.map((job) => [
          make("a", { href: `#/job/${job.job_id}` }, String(job.job_id)), job.name, job.user, job.account, span(job.run_time), span(job.time_limit)]), [4, 5])));
  }

  return {
    element,
    begin() {},
    update() {
      const place = centre.place.get(name);
      const jobs = [...centre.jobs.values()].filter((job) => job.state === "RUNNING" && expandHosts(job.node_list).includes(name));
      const mark = `${centre.uses[place]} ${jobs.map((job) => job.job_id).join(" ")}`;
      if (use !== mark) { use = mark; read().catch((error) => tellTrouble(element, error)); }
    },
    end() {},
  };
}

// Sockets side by side, each a grid of its cores; those that jobs hold are filled from the first on.
function inside(node) {
  const perSocket = Math.max(1, Math.min(node.cores, node.cores_per_socket));
  const across = Math.ceil(Math.sqrt(perSocket * 1.8));
  const cell = perSocket > 64 ? 10 : 18;
  const width = across * cell + 24;
  const rows = Math.ceil(perSocket / across);
  const sockets = Math.ceil(node.cores / perSocket);
  const parts = [];
  for (let socket = 0; socket < sockets; socket += 1) {
    const left = socket * (width + 16) + 8;
    parts.push(make("rect", { x: left, y: 22, width, height: rows * cell + 20, rx: 5, fill: "none", stroke: "currentColor", "stroke-opacity": 0.5 }),
      make("text", { x: left, y: 15 }, say("socket", socket)));
    for (let core = 0; core < Math.min(perSocket, node.cores - socket * perSocket); core += 1) {
      const isHeld = socket * perSocket + core < node.cores_held;
      parts.push(make("rect", { x: left + 12 + (core % across) * cell, y: 32 + Math.floor(core / across) * cell, width: cell - 2, height: cell - 2, rx: 2,
        fill: colourOf(node.state === "DOWN" ? "down" : isHeld ? "allocated" : "idle") }));
    }
  }
  const total = sockets * (width + 16) + 8;
  const drawing = make("svg", { viewBox: `0 0 ${total} ${rows * cell + 50}`, role: "img",
    "aria-label": `${say("held")} ${node.cores_held}, ${say("free")} ${node.cores - node.cores_held}` }, ...parts);
  drawing.style.maxWidth = `${Math.min(900, total * 1.4)}px`;
  return drawing;
}
