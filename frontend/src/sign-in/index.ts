/** Sign-in at an OpenID Connect issuer. It loads on pages whose `config.json` has `signIn`. */
export { SIGN_IN, SIGNED_IN, SIGNED_OUT } from "./paths";
export { type Arrival, createSignIn, type Person, type SignIn } from "./sign-in";
