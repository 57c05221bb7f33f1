/**
 * An OpenID Connect issuer on loopback with three people and no passwords, for `make dev
 * SIGN_IN=demo` and for tests. It is npm's oidc-provider, which is certified, with our own pages.
 * Everything is in memory, so whoever was signed in has to sign in again after a restart.
 *
 *     node demo_issuer.mjs '{"port": 8100, "clientId": …, "audience": …, "pages": ["http://…"]}'
 */
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

// It is one of the page's development packages, which `make setup` installs.
const packages = createRequire(new URL("../../frontend/package.json", import.meta.url));
const { Provider } = await import(pathToFileURL(packages.resolve("oidc-provider")).href);

const people = {
  ada: {
    name: "Ada Lovelace",
    email: "ada@example.com",
    roles: ["staff"],
    organization: "analytical-engine",
  },
  alan: {
    name: "Alan Turing",
    email: "alan@example.com",
    roles: [],
    organization: "bletchley-park",
  },
  grace: {
    name: "Grace Hopper",
    email: "grace@example.com",
    roles: ["admin"],
    organization: "analytical-engine",
  },
};

/** Seconds. */
const TOKEN_LIFE = 300;
const SIGN_IN_LIFE = 14 * 24 * 3600;

/**
 * Serves the issuer at `http://127.0.0.1:<port>`. `pages` are the origins of pages that may use it.
 * `change` gets the provider's configuration and may change it.
 */
export async function serve({ port, clientId, audience, pages, change = () => {} }) {
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const claims = (sub) => ({ sub, email_verified: true, ...people[sub] });
  const configuration = {
    clients: [
      {
        client_id: clientId,
        token_endpoint_auth_method: "none", // a page can keep no secret
        grant_types: ["authorization_code", "refresh_token"],
        redirect_uris: pages.map((page) => `${page}/signed-in`),
        post_logout_redirect_uris: pages.map((page) => `${page}/`),
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig" }] },
    cookies: { keys: [crypto.randomUUID()], names: { session: "demo_issuer" } },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    pkce: { required: () => true },
    clientBasedCORS: (_, origin) => pages.includes(origin),
    findAccount: (_, sub) =>
      people[sub] && { accountId: sub, claims: () => claims(sub) },
    // Our server reads these claims of access tokens. Not every issuer puts them there.
    extraTokenClaims: (_, token) => claims(token.accountId),
    issueRefreshToken: async () => true,
    ttl: {
      AccessToken: TOKEN_LIFE,
      AuthorizationCode: 60,
      Grant: SIGN_IN_LIFE,
      IdToken: TOKEN_LIFE,
      Interaction: 3600,
      RefreshToken: SIGN_IN_LIFE,
      Session: SIGN_IN_LIFE,
    },
    interactions: { url: (_, { uid }) => `/sign-in/${uid}` },
    // Nobody is asked whether this page may know who they are.
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({ clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid profile email");
      await grant.save();
      return grant;
    },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          audience,
          scope: "",
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = html(
            "Sign out?",
            `${form}<button form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button>`,
          );
        },
      },
    },
    renderError: (ctx, { error, error_description }) => {
      ctx.body = html("This did not work", `<p>${escaped(`${error}: ${error_description}`)}</p>`);
    },
  };
  change(configuration);
  const provider = new Provider(issuer, configuration);
  provider.on("server_error", (_, error) => console.error(error));
  const answer = provider.callback();

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, issuer);
    if (!pathname.startsWith("/sign-in/")) return answer(request, response);
    try {
      await provider.interactionDetails(request, response);
      if (request.method === "GET") {
        response.setHeader("content-type", "text/html; charset=utf-8");
        response.end(html("Who are you?", buttons(pathname)));
        return;
      }
      const accountId = searchParams.get("as");
      const result = people[accountId]
        ? { login: { accountId } }
        : { error: "access_denied", error_description: "Nobody was chosen." };
      await provider.interactionFinished(request, response, result);
    } catch {
      response.statusCode = 400;
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(html("This sign-in has ended", "<p>Go back to the page and begin again.</p>"));
    }
  });
  await new Promise((listening, failed) => {
    server.once("error", failed).listen(port, "127.0.0.1", listening);
  });
  return issuer;
}

const buttons = (pathname) => `
  <p>These people are made up, and so they need no password.</p>
  <form method="post">
    ${Object.entries(people)
      .map(
        ([id, { name, roles }]) =>
          `<button formaction="${pathname}?as=${id}">${name}${roles.length ? ` <small>${roles}</small>` : ""}</button>`,
      )
      .join("")}
    <button class="quiet" formaction="${pathname}">Cancel</button>
  </form>`;

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const html = (title, body) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
  :root { color-scheme: light dark; }
  body { display: grid; place-content: center; min-height: 90vh; margin: 0; padding: 24px;
    font: 16px/1.5 system-ui, sans-serif; }
  main { display: grid; gap: 12px; width: min(22rem, 90vw); }
  form { display: grid; gap: 10px; }
  h1, p { margin: 0; }
  h1 { font-size: 1.5rem; }
  button { min-height: 46px; padding: 0 16px; border: 1px solid light-dark(#bbb, #555);
    border-radius: 10px; background: light-dark(#f6f6f4, #2a2a2a); color: inherit; font: inherit;
    cursor: pointer; }
  small { padding: 1px 8px; border-radius: 99px; background: light-dark(#ddd, #444); }
  .quiet { border-color: transparent; background: none; }
</style>
<main><h1>${title}</h1>${body}</main>
</html>`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // The provider says that it keeps everything in memory, which is meant.
  console.info = () => {};
  console.warn = () => {};
  try {
    console.log(await serve(JSON.parse(process.argv[2])));
  } catch (error) {
    console.log(error.code ?? error.message);
    process.exit(1);
  }
  // It ends with the process that started it, however that ends.
  process.stdin.on("end", () => process.exit()).resume();
}
