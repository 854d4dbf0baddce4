// What accounts owe, expect as subsidy and have left.

import { centre, get, Refusal } from "./centre.js";
import { month, percent, say, yuan } from "./words.js";
import { bar, facts, make, tellTrouble } from "./parts.js";

export function moneyView() {
  const field = make("input", { id: "month", type: "month" });
  const note = make("p", { class: "hint" });
  const cards = make("div", { class: "cards" }, make("p", { class: "faint" }, say("loading")));

  async function read() {
    const list = await get("/v1/accounts");
    note.textContent = say("tariff", list.tariff, list.rules.join(", "));
    if (list.accounts.length === 0) { cards.replaceChildren(make("p", { class: "empty" }, say("noAccounts"))); return; }
    cards.replaceChildren(...await Promise.all(list.accounts.map(async (account) => card(account, await bill(account.account)))));
  }

  async function bill(account) {
    try {
      return await get(`/v1/bill?account=${encodeURIComponent(account)}&period=${field.value}`);
    } catch (error) {
      if (error instanceof Refusal) return null;
      throw error;
    }
  }

  function card(account, bill) {
    const budget = account.budget;
    const share = bill && bill.gross_fen > 0 ? percent(bill.subsidy_fen, bill.gross_fen) : null;
    return make("section", { class: "card", "data-account": account.account },
      make("h2", {}, account.title || account.account),
      make("p", { class: "hint" }, account.account + (account.enterprise ? ` · ${say("enterprise")} ${account.enterprise}` : "")),
      bill ? facts([
        [say("gross"), yuan(bill.gross_fen)], [say("subsidy"), yuan(bill.subsidy_fen) + (share ? ` (${share})` : "")],
        [say("net") + (bill.provisional ? ` (${say("provisional")})` : ""), yuan(bill.net_fen)],
        [say("balance"), yuan(account.balance_fen)], [say("heldMoney"), account.held_fen > 0 ? yuan(account.held_fen) : null],
        [say("vouchers"), account.vouchers_fen > 0 ? yuan(account.vouchers_fen) : null],
      ]) : null,
      bill && bill.gross_fen > 0 ? bar(bill.subsidy_fen, bill.gross_fen, `${say("subsidy")} ${share}`) : null,
      budget && budget.limit_fen > 0 ? make("div", {}, make("h3", {}, `${say("budget")} ${percent(budget.used_fen, budget.limit_fen)}`),
        bar(budget.used_fen, budget.limit_fen, say("budget"))) : null);
  }

  let began = false;
  field.addEventListener("change", () => read().catch((error) => tellTrouble(cards, error)));
  return {
    element: make("div", {}, make("div", { class: "tools" }, make("h2", {}, say("accounts")), make("label", { for: "month" }, say("month")), field), note, cards),
    begin() {},
    update() {
      if (began || !centre.status) return;
      began = true;
      field.value = month(centre.status.now);
      read().catch((error) => tellTrouble(cards, error));
    },
    end() {},
  };
}
