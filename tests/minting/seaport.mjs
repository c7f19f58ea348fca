// What OpenSea's own library makes of a listing: components, hash and signature.
import { JsonRpcProvider, Wallet } from "ethers";
import { Seaport } from "@opensea/seaport-js";

const asked = JSON.parse(process.argv[2]);
const provider = new JsonRpcProvider(asked.url);
const wallet = new Wallet(asked.key, provider);
const seaport = new Seaport(wallet, {
  overrides: { contractAddress: asked.seaport },
  balanceAndApprovalChecksOnOrderCreation: false,
});
const { executeAllActions } = await seaport.createOrder({
  offer: [{ itemType: 2, token: asked.contract, identifier: String(asked.tokenId) }],
  consideration: asked.payments.map(([recipient, amount]) => ({ recipient, amount })),
  startTime: String(asked.startTime),
  endTime: String(asked.endTime),
});
const { parameters, signature } = await executeAllActions();
const order = JSON.parse(JSON.stringify(parameters, (_, v) => (typeof v === "bigint" ? String(v) : v)));
process.stdout.write(JSON.stringify({ order, signature, hash: seaport.getOrderHash(parameters) }));
provider.destroy();
process.exit(0);
