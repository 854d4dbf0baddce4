// All words of the page in both languages, and how numbers, times and money are written.

const table = {
  skip: ["Skip to the content", "跳到正文"],
  now: ["Now", "现状"], jobs: ["Jobs", "作业"], timeline: ["Timeline", "时间线"], money: ["Money", "费用"],
  language: ["中文", "English"],
  token: ["Token", "令牌"], send: ["Open", "打开"],
  tokenHint: ["Run 'xinghe token' on the centre's computer and paste what it prints. It stays in this page's memory only.",
    "在中心所在的计算机上运行 xinghe token，将输出粘贴到这里。令牌只保存在本页内存中。"],
  lost: ["The connection to the centre is lost; what you see may be old. Trying again…", "与中心的连接已断开，所见内容可能已过时，正在重试……"],
  loading: ["Loading…", "正在载入……"],
  machine: ["The machine", "机器"], colour: ["Colour by", "着色依据"],
  byUse: ["what nodes do", "节点状态"], byPartition: ["partition", "分区"], byAccount: ["account", "账户"], byUser: ["user", "用户"],
  mapHelp: ["Map of all nodes. Arrow keys move, Enter opens the node.", "全部节点的分布图。方向键移动，回车打开节点。"],
  pastDay: ["Past day", "过去一天"], atNow: ["now", "现在"],
  pastNote: ["Who held which nodes at {0}. What was out of service then is not told.", "{0} 时各节点由谁占用。当时哪些节点停用不作显示。"],
  idle: ["idle", "空闲"], mixed: ["partly used", "部分占用"], allocated: ["used", "占用"], reserved: ["reserved", "预留"],
  maint: ["maintenance", "维护"], drained: ["drained", "已停用"], draining: ["draining", "正在停用"], down: ["down", "故障"],
  nodes: ["nodes", "节点"], cores: ["cores", "核"], use: ["Use since this page was opened", "本页打开以来的使用率"],
  queue: ["Queue by partition", "各分区队列"], partition: ["partition", "分区"], running: ["running", "运行"], waiting: ["waiting", "等待"],
  askedCores: ["cores asked for", "申请核数"], who: ["Who runs", "正在运行"], user: ["user", "用户"], account: ["account", "账户"],
  nobody: ["Nobody runs anything.", "没有作业在运行。"],
  search: ["Search: words, user:li, state:pd, account:x, nodes>=64, wait>1h, start<2h, li*", "搜索：词、user:li、state:pd、account:x、nodes>=64、wait>1h、start<2h、li*"],
  found: ["{0} of {1} jobs", "{1} 个作业中的 {0} 个"], noJobs: ["No job matches.", "没有符合的作业。"], emptyQueue: ["The queue is empty.", "队列为空。"],
  wrongSearch: ["cannot be read: {0}", "无法识别：{0}"],
  id: ["job", "作业号"], name: ["name", "名称"], state: ["state", "状态"], limit: ["limit", "时限"], time: ["time", "用时"],
  whereWhy: ["nodes, or why it waits", "节点或等待原因"],
  job: ["Job {0}", "作业 {0}"], noJob: ["There is no job {0} in the centre's memory.", "中心中没有作业 {0}。"],
  submitted: ["submitted", "提交"], eligible: ["may start", "可启动"], expected: ["expected", "预计启动"], started: ["started", "启动"],
  ended: ["ended", "结束"], ends: ["ends by", "最迟结束"], nowMark: ["now", "现在"],
  ahead: ["{0} jobs of this partition are before it.", "本分区有 {0} 个作业排在前面。"],
  script: ["Script", "脚本"], noScript: ["The script is for its owner and operators.", "脚本只对其所有者和管理员可见。"],
  qos: ["QOS", "QOS"], priority: ["priority", "优先级"], tasks: ["tasks", "任务"], memory: ["memory", "内存"], cards: ["cards", "加速卡"],
  exit: ["exit code", "退出码"], restarts: ["restarts", "重启次数"], directory: ["folder", "目录"], output: ["output", "输出"],
  dependency: ["depends on", "依赖"], reservation: ["reservation", "预约"],
  cancel: ["Cancel", "取消作业"], hold: ["Hold", "挂起排队"], release: ["Release", "释放"], sure: ["Really cancel job {0}?", "确定取消作业 {0}？"],
  node: ["Node {0}", "节点 {0}"], noNode: ["There is no node {0}.", "没有节点 {0}。"], type: ["type", "类型"], partitions: ["partitions", "分区"],
  features: ["features", "特性"], since: ["since", "自"], reason: ["reason", "原因"], system: ["system", "操作系统"],
  holds: ["Jobs on it", "其上的作业"], free: ["free", "空闲"], held: ["held", "占用"], socket: ["socket {0}", "插槽 {0}"],
  accounts: ["Accounts", "账户"], month: ["Month", "月份"], gross: ["machine-hour fees", "机时费"], subsidy: ["subsidy expected", "预计补贴"],
  net: ["to pay", "应付"], balance: ["balance", "余额"], heldMoney: ["held for running jobs", "运行中作业预扣"], vouchers: ["vouchers", "算力券"],
  noAccounts: ["No account is open to you.", "没有对您开放的账户。"], enterprise: ["enterprise", "企业"], tariff: ["Prices {0}; rules {1}.", "价目 {0}；规则 {1}。"],
  timelineHelp: ["Jobs on their nodes over time. Arrow keys move, plus and minus zoom, Home returns to now; a table of the next starts follows.",
    "作业随时间占用节点的甘特图。方向键移动，加减号缩放，Home 键回到现在；下方是即将启动的作业列表。"],
  zoomIn: ["Zoom in", "放大"], zoomOut: ["Zoom out", "缩小"], toNow: ["To now", "回到现在"], planned: ["planned", "计划"],
  nextStarts: ["Next starts", "即将启动"], noPlan: ["Nothing is planned.", "没有计划启动的作业。"],
  tooManyForPlan: ["{0} jobs wait: too many to plan here. Ask for one of them on its page.", "{0} 个作业在等待，数量过多，此处不作预测；可在作业页面查看单个作业。"],
  budget: ["budget used", "预算已用"], provisional: ["so far", "截至目前"],
};

const reasons = {
  Priority: ["Others come first.", "其他作业优先。"], Resources: ["Waits until enough nodes are free.", "等待足够的空闲节点。"],
  Dependency: ["Waits for another job.", "等待所依赖的作业。"], DependencyNeverSatisfied: ["What it waits for can never happen.", "所依赖的条件永远无法满足。"],
  BeginTime: ["Was asked to start later.", "要求稍后开始。"], JobHeldUser: ["Its user holds it.", "被用户挂起。"], JobHeldAdmin: ["An operator holds it.", "被管理员挂起。"],
  PartitionDown: ["Its partition is down.", "分区已关闭。"], PartitionInactive: ["Its partition is inactive.", "分区未启用。"],
  PartitionTimeLimit: ["It asks for more time than its partition gives.", "申请的时间超过分区上限。"], PartitionNodeLimit: ["It asks for more nodes than its partition gives.", "申请的节点数超过分区上限。"],
  ReqNodeNotAvail: ["Nodes that it needs are out of service.", "所需节点不可用。"], Reservation: ["Waits for its reservation.", "等待预约开始。"],
  QuotaConstrained: ["Its user's quota of nodes or cores is used up.", "用户的节点或核数配额已用完。"],
  JobArrayTaskLimit: ["Enough elements of its array run.", "数组作业并发数已达上限。"], Licenses: ["Waits for licences.", "等待许可证。"],
};

const english = !(navigator.language || "en").toLowerCase().startsWith("zh");
let index = english ? 0 : 1;

export const language = () => (index === 0 ? "en" : "zh-CN");
export function switchLanguage() { index = 1 - index; document.documentElement.lang = language(); }

export function say(key, ...values) {
  const text = table[key]?.[index] ?? key;
  return text.replace(/\{(\d)\}/g, (_, place) => values[place] ?? "");
}

// Slurm's word stays beside the sentence, for whoever searches for it.
export function sayReason(reason) {
  if (!reason || reason === "None") return "";
  const limits = /^(Assoc|QOS|Max)/.test(reason)
    ? ["A limit of its account or QOS is reached.", "已达到账户或 QOS 的限额。"] : null;
  const words = reasons[reason] ?? limits;
  return words ? `${words[index]} (${reason})` : reason;
}

const microseconds = 1e6;
export const count = (value) => Number(value).toLocaleString(language());
export const percent = (part, whole) => (whole > 0 ? Math.round((100 * part) / whole) : 0) + " %";

// The centre's time: Asia/Shanghai.
const clock = (options) => (at) =>
  new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", ...options }).format(new Date(at / 1000));
const day = { year: "numeric", month: "2-digit", day: "2-digit" };
const hour = { hour: "2-digit", minute: "2-digit" };
export const moment = clock({ ...day, ...hour, second: "2-digit" });
export const shortMoment = (at) => moment(at).slice(5, 16);
export const clockTime = (at) => moment(at).slice(11, 19);
export const month = clock({ year: "numeric", month: "2-digit" });

export function span(value) {
  if (value == null) return "—";
  const seconds = Math.max(0, Math.floor(value / microseconds));
  const days = Math.floor(seconds / 86400);
  const two = (number) => String(number).padStart(2, "0");
  const rest = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days}-${rest}` : rest;
}

export function bytes(value) {
  if (value == null) return "—";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let place = 0;
  while (value >= 1024 && place < units.length - 1) { value /= 1024; place += 1; }
  return `${value.toFixed(value < 10 && place > 0 ? 1 : 0)} ${units[place]}`;
}

// Whole fen, without floating point.
export function yuan(fen) {
  if (fen == null) return "—";
  const sign = fen < 0 ? "−" : "";
  const digits = String(Math.abs(fen)).padStart(3, "0");
  return `${sign}¥${count(digits.slice(0, -2))}.${digits.slice(-2)}`;
}
