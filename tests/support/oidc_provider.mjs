/**
 * The issuer of `SIGN_IN=demo`, which tests can give orders to. Each is a line of JSON on its
 * standard input, and is confirmed with a line on its standard output:
 *
 * - `lifetimes`: seconds that the next access tokens are good for; later ones are as always.
 * - `gone`: people whom the issuer does not know any more.
 * - `refreshTokens`: whether it gives some.
 */
import { createInterface } from "node:readline";
import { serve } from "../../infra/local/demo_issuer.mjs";

const orders = { lifetimes: [], gone: [], refreshTokens: true };

// What the provider says of itself is no answer to an order.
console.info = () => {};
console.warn = () => {};
const issuer = await serve({
  ...JSON.parse(process.argv[2]),
  change(configuration) {
    const { findAccount } = configuration;
    configuration.findAccount = (ctx, sub) =>
      orders.gone.includes(sub) ? undefined : findAccount(ctx, sub);
    configuration.issueRefreshToken = async () => orders.refreshTokens;
    configuration.formats = {
      customizers: {
        jwt: (_, token, { payload }) => {
          const seconds = orders.lifetimes.shift();
          if (seconds !== undefined) payload.exp = payload.iat + seconds;
        },
      },
    };
  },
});
console.log(issuer);
for await (const line of createInterface(process.stdin)) {
  Object.assign(orders, JSON.parse(line));
  console.log("done");
}
process.exit();
