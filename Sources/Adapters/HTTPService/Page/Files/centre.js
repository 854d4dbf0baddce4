// The centre as this page knows it: read once, then kept up to date by events.

const fields = "job_id,array_job_id,array_task_id,name,user,account,qos,partition,state,reason,submit,start,end,run_time,"
  + "time_limit,nodes,node_list,cores,tasks,accelerators,priority";

let token = null;
const watchers = new Set();

export const centre = {
  status: null, uses: "", names: [], blocks: [], place: new Map(), jobs: new Map(), census: null, history: [], live: false,
};

export class Refusal extends Error {
  constructor(status, text) { super(text); this.status = status; }
}

export function setToken(text) { token = text.trim(); }

// A token may come in the address, where no server and no log sees it, and does not stay there.
export function takeTokenFromAddress() {
  const found = /^#token=([\w.-]+)(?:&|$)/.exec(location.hash);
  if (!found) return;
  setToken(found[1]);
  history.replaceState(null, "", "#/now");
}

async function request(path, options = {}) {
  const headers = { ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, { ...options, headers });
  if (answer.ok) return answer;
  let text = answer.statusText;
  try { text = (await answer.json()).text ?? text; } catch { /* not ours */ }
  throw new Refusal(answer.status, text);
}

export const get = async (path) => (await request(path)).json();
export const getText = async (path) => (await request(path)).text();
export const post = async (path, body) =>
  (await request(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } })).json();

export function watch(watcher) { watchers.add(watcher); return () => watchers.delete(watcher); }
const tell = () => watchers.forEach((watcher) => watcher());

// The centre's time, which may run faster than ours or stand still.
export function now() {
  if (!centre.status) return 0;
  const mode = centre.status.time_mode;
  const factor = mode === "real" ? 1 : mode.startsWith("x") ? Number(mode.slice(1)) : 0;
  return centre.status.now + (performance.now() - centre.readAt) * 1000 * factor;
}

async function readSmall() {
  const [status, map, census] = await Promise.all([get("/v1/status"), get("/v1/map"), get("/v1/census")]);
  Object.assign(centre, { status, uses: map.uses, census, readAt: performance.now() });
  centre.history.push({ at: status.now, cores: status.cores_held, waiting: status.jobs_pending });
  if (centre.history.length > 600) centre.history.shift();
}

function put(list) {
  for (const job of list.jobs) centre.jobs.set(job.job_id, job);
}

export async function readAll() {
  const map = await get("/v1/map?names=1");
  Object.assign(centre, { names: map.names, blocks: map.blocks, uses: map.uses });
  centre.place = new Map(map.names.map((name, index) => [name, index]));
  const [list] = await Promise.all([get(`/v1/jobs?ended=1&fields=${fields}`), readSmall()]);
  centre.jobs.clear();
  put(list);
  centre.live = true;
  tell();
}

let changed = new Set();
let timer = null;

function refreshSoon() {
  timer ??= setTimeout(async () => {
    timer = null;
    const ids = [...changed];
    changed = new Set();
    try {
      for (let from = 0; from < ids.length && ids.length <= 4000; from += 500) {
        put(await get(`/v1/jobs?ended=1&fields=${fields}&id=${ids.slice(from, from + 500).join(",")}`));
      }
      if (ids.length > 4000) return await readAll();
      await readSmall();
      tell();
    } catch (error) { fail(error); }
  }, 500);
}

let fail = () => {};

// Follows the centre for ever; `onTrouble` is told of what goes wrong, and of null when all is well again.
export async function follow(onTrouble) {
  fail = (error) => { centre.live = false; onTrouble(error); };
  let last = null;
  for (;;) {
    try {
      await readAll();
      onTrouble(null);
      const answer = await request("/v1/events", last == null ? {} : { headers: { "Last-Event-ID": last } });
      await read(answer.body.getReader(), (event) => {
        last = event.id ?? last;
        if (event.kind === "reset") { last = null; readAll().catch(fail); return; }
        if (event.kind === "job") changed.add(event.data.job_id);
        refreshSoon();
      });
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) { onTrouble(error); return; }
      fail(error);
    }
    last = null;
    await new Promise((resume) => setTimeout(resume, 2000));
  }
}

async function read(reader, handle) {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) {
      const event = { kind: "message", data: "" };
      for (const line of part.split("\n")) {
        if (line.startsWith("id: ")) event.id = line.slice(4);
        else if (line.startsWith("event: ")) event.kind = line.slice(7);
        else if (line.startsWith("data: ")) event.data = JSON.parse(line.slice(6));
      }
      if (event.data !== "") handle(event);
    }
  }
}
