// The frame around the views: address, language, clock, trouble, token.

import { centre, follow, now, Refusal, setToken, takeTokenFromAddress, watch } from "./centre.js";
import { language, moment, say, switchLanguage } from "./words.js";
import { make } from "./parts.js";
import { nowView } from "./now.js";
import { jobsView } from "./jobs.js";
import { jobView } from "./job.js";
import { nodeView } from "./node.js";
import { timelineView } from "./timeline.js";
import { moneyView } from "./money.js";

const at = (id) => document.getElementById(id);
let view = null;

function viewOfAddress() {
  const [path, ...rest] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, argument] = path.split("/");
  if (name === "jobs") return jobsView(decodeURIComponent(rest.join("?")));
  if (name === "job" && /^\d+$/.test(argument ?? "")) return jobView(Number(argument));
  if (name === "node" && argument) return nodeView(decodeURIComponent(argument));
  if (name === "timeline") return timelineView(decodeURIComponent(rest.join("?")));
  if (name === "money") return moneyView();
  return nowView();
}

function open() {
  view?.end();
  view = viewOfAddress();
  at("main").replaceChildren(view.element);
  view.begin();
  if (centre.status) view.update();
  frame();
}

function frame() {
  document.documentElement.lang = language();
  at("skip").textContent = say("skip");
  at("language").textContent = say("language");
  at("token-label").textContent = say("token");
  at("token-hint").textContent = say("tokenHint");
  at("token-send").textContent = say("send");
  const current = location.hash.replace(/^#\/?/, "").split(/[/?]/)[0] || "now";
  at("views").replaceChildren(...["now", "jobs", "timeline", "money"].map((name) =>
    make("a", { href: `#/${name}`, "aria-current": name === current ? "page" : null }, say(name))));
  if (!centre.status) return;
  at("title").textContent = `Xinghe 星河 · ${centre.status.machine}`;
  tick();
}

function tick() {
  if (centre.status) at("clock").textContent = `${moment(now())} (${centre.status.time_mode})`;
}

function trouble(error) {
  const isStranger = error instanceof Refusal && error.status === 401;
  at("login").hidden = !isStranger;
  at("main").hidden = isStranger && !centre.status;
  at("trouble").hidden = error == null || (isStranger && !centre.status);
  if (error) at("trouble").textContent = isStranger ? error.message : say("lost");
  if (isStranger) at("token").focus();
}

at("language").addEventListener("click", () => { switchLanguage(); open(); });
at("login").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(at("token").value);
  at("token").value = "";
  follow(trouble);
});
addEventListener("hashchange", () => { open(); at("main").focus({ preventScroll: true }); });
watch(() => { frame(); view?.update(); });
setInterval(tick, 500);

takeTokenFromAddress();
frame();
open();
follow(trouble);
