// A holder's page: staking works, taking them back, being paid what they earned and what a sale owes.
import { ether } from "./mint-ui.js";
import { walletComponent } from "./wallet-ui.js";

export function holder() {
  return walletComponent({
    account: null,
    earned: [],
    said: "",

    get isAway() {
      return this.account === null;
    },
    get isHere() {
      return this.account !== null;
    },
    get done() {
      return this.said !== "";
    },
    get place() {
      return { rpcUrl: this.$root.dataset.rpcUrl, chainId: this.chainId };
    },
    async enter(wallet, account) {
      if (account.address.toLowerCase() !== this.$root.dataset.wallet.toLowerCase())
        throw new Error(`That wallet is ${account.address}; this page is another one's.`);
      this.account = account;
      await this.look(wallet);
    },
    async look(wallet) {
      const pools = [...this.$root.querySelectorAll("[data-staking]")].map((one) => one.dataset);
      this.earned = await Promise.all(
        pools.map(async ({ staking, name }) => {
          const wei = await wallet.earnedIn(this.account, this.place, staking);
          return { staking, name, says: ether(wei), nothing: wei === 0n };
        }),
      );
    },
    /** Stake or take back the works that are ticked, a transaction for each collection. */
    async change(wallet, verb) {
      const ticked = [...this.$root.querySelectorAll("input[data-token]:checked")];
      const mine = ticked.filter((one) => (one.dataset.staked === "yes") === (verb === "unstake"));
      if (!mine.length) throw new Error(`Tick works that are ${verb === "stake" ? "free" : "staked"}.`);
      const byPool = Map.groupBy
        ? Map.groupBy(mine, (one) => one.dataset.pool)
        : mine.reduce((all, one) => all.set(one.dataset.pool, [...(all.get(one.dataset.pool) || []), one]), new Map());
      for (const [staking, boxes] of byPool) {
        const ids = boxes.map((one) => BigInt(one.dataset.token));
        await wallet.moveStakes(this.account, this.place, staking, verb, ids);
      }
      this.reloadSoon();
    },
    reloadSoon() {
      this.said = "Done. The page shows it once the site has read the block.";
      setTimeout(() => location.reload(), 4000);
    },
    /** Money of a sale: back from an auction, or for works of a drop that failed. */
    take(event) {
      const { contract, do: name, arguments: list } = event.currentTarget.dataset;
      const numbers = JSON.parse(list, (key, value) => (typeof value === "number" ? BigInt(value) : value));
      return this.attempt(async (wallet) => {
        await wallet.askSale(this.account, this.place, contract, name, numbers);
        this.reloadSoon();
      });
    },
    /** Works vote once their owner has named who does it. */
    voteMyself(event) {
      const { contract } = event.currentTarget.dataset;
      return this.attempt(async (wallet) => {
        await wallet.delegate(this.account, this.place, contract);
        this.reloadSoon();
      });
    },
    stake() {
      return this.attempt((wallet) => this.change(wallet, "stake"));
    },
    unstake() {
      return this.attempt((wallet) => this.change(wallet, "unstake"));
    },
    claim(event) {
      const { staking } = event.currentTarget.dataset;
      return this.attempt(async (wallet) => {
        await wallet.claimFrom(this.account, this.place, staking);
        this.said = "Paid.";
        await this.look(wallet);
      });
    },
  });
}
