/**
 * The OpenID Connect issuer, by `oidc-client-ts`: authorization code with PKCE, refresh tokens,
 * sign-out. It is a file of its own in the build, which loads for sign-in, and for whoever has
 * signed in.
 */
import {
  ErrorResponse,
  OidcClient,
  type RefreshState,
  type SigninResponse,
  WebStorageStateStore,
} from "oidc-client-ts";
import type { SignInConfig } from "../chatkit";
import { SIGNED_IN, SIGNED_OUT } from "./paths";
import type { SignedIn } from "./stored";

/** For each request to the issuer. Most issuers answer sooner, also after a cold start. */
const TIMEOUT_SECONDS = 10;
/** For taking the refresh token back at sign-out. Whoever signs out is waiting. */
const REVOKE_MS = 3_000;
/**
 * Tokens are renewed a minute before they expire. Those that live for less than four minutes are
 * renewed when three quarters of their life are over.
 */
const EARLY_MS = 60_000;

/** What the page wants to know again when the person comes back. */
export type Asked = {
  /** The path that was asked for, with its query. */
  returnTo: string;
  /** Whether the window was opened for the sign-in only. */
  close: boolean;
};

export type Issuer = ReturnType<typeof createIssuer>;

export function createIssuer(config: SignInConfig) {
  const client = new OidcClient({
    authority: config.issuer,
    client_id: config.clientId,
    redirect_uri: location.origin + SIGNED_IN,
    post_logout_redirect_uri: location.origin + SIGNED_OUT,
    scope: config.scope,
    // The verifier and what was asked for must not leave this window.
    stateStore: new WebStorageStateStore({ store: sessionStorage, prefix: "chatkit.sign-in." }),
    loadUserInfo: false,
    requestTimeoutInSeconds: TIMEOUT_SECONDS,
  });

  return {
    /** The issuer's address at which the person signs in. With `again`, it asks for the password. */
    async signInUrl(asked: Asked, again: boolean): Promise<string> {
      const request = await client.createSigninRequest({
        state: asked,
        ...(again && { prompt: "login" }),
        ...(config.audience && { extraQueryParams: { audience: config.audience } }),
      });
      return request.url;
    },

    /**
     * Exchanges the code in the address with which the issuer has sent the person back. It is
     * `null` when the issuer has signed nobody in, because the person cancelled, for instance.
     * Throws when the address is not the answer to a question of this window.
     */
    async finish(url: string): Promise<{ signedIn: SignedIn | null; asked: Asked }> {
      const { state } = await client.readSigninResponseState(url);
      const asked = state.data as Asked;
      try {
        return { signedIn: signedIn(await client.processSigninResponse(url), config), asked };
      } catch (error) {
        console.warn(`Nobody was signed in: ${error}`);
        return { signedIn: null, asked };
      }
    },

    /** Returns `null` when the issuer refuses, and throws when it is not reached. */
    async renew(now: SignedIn): Promise<SignedIn | null> {
      const state: RefreshState = {
        refresh_token: now.refreshToken ?? "",
        id_token: now.idToken,
        session_state: null,
        profile: { sub: now.subject, iss: config.issuer, aud: config.clientId, exp: 0, iat: 0 },
      };
      let response: SigninResponse;
      try {
        // biome-ignore lint/correctness/useHookAtTopLevel: no hook of React's, in spite of its name
        response = await client.useRefreshToken({ state, timeoutInSeconds: TIMEOUT_SECONDS });
      } catch (error) {
        // RFC 6749, 5.2: the token is not valid, has expired or was taken back.
        if (error instanceof ErrorResponse && error.error === "invalid_grant") return null;
        throw error;
      }
      // Some issuers send an ID token with their first answer only.
      if (config.token === "id" && response.id_token === now.idToken) return null;
      const renewed = signedIn(response, config);
      // An issuer that sends no new refresh token lets us use the old one again (RFC 6749, 6).
      const refreshToken = renewed.refreshToken ?? now.refreshToken;
      return { ...renewed, since: now.since, refreshToken };
    },

    /** Takes the refresh token back, and returns the issuer's address that ends its own session. */
    async signOutUrl(now: SignedIn): Promise<string | null> {
      if (now.refreshToken) {
        const revoked = client.revokeToken(now.refreshToken, "refresh_token");
        // Not every issuer has an endpoint for it; the tokens are gone from here in any case.
        await Promise.race([revoked.catch(() => undefined), timeout(REVOKE_MS)]);
      }
      const endpoint = await client.metadataService.getEndSessionEndpoint();
      if (!endpoint) return null;
      if (isCognito(config.issuer)) return cognitoSignOutUrl(endpoint, config.clientId);
      const request = await client.createSignoutRequest({
        id_token_hint: now.idToken,
        client_id: config.clientId,
      });
      return request.url;
    },
  };
}

function signedIn(response: SigninResponse, config: SignInConfig): SignedIn {
  if (!response.id_token) {
    throw new Error("The issuer sent no ID token: `openid` is missing in the scopes.");
  }
  const { sub, exp, iat } = response.profile;
  const seconds = config.token === "id" ? exp - iat : response.expires_in;
  return {
    subject: sub,
    since: Date.now(),
    token: config.token === "id" ? response.id_token : response.access_token,
    renewAt: renewAt(seconds),
    refreshToken: response.refresh_token ?? null,
    idToken: response.id_token,
  };
}

/** Counts from now on, because this machine's clock may be wrong. */
function renewAt(seconds: number | undefined): number {
  if (!seconds) return Number.MAX_SAFE_INTEGER; // when the server refuses it
  const life = seconds * 1_000;
  return Date.now() + life - Math.min(EARLY_MS, life / 4);
}

const timeout = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const isCognito = (issuer: string): boolean =>
  /^cognito-idp\.[\w-]+\.amazonaws\.com(\.cn)?$/.test(new URL(issuer).hostname);

/**
 * Cognito does not know the parameters of OpenID Connect's sign-out:
 * https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
 */
function cognitoSignOutUrl(endpoint: string, clientId: string): string {
  const url = new URL(endpoint);
  url.searchParams.set("client_id", clientId);
  url.searchParams.set("logout_uri", location.origin + SIGNED_OUT);
  return url.href;
}
