/** The page's own addresses for sign-in. The issuer knows `SIGNED_IN` and `SIGNED_OUT`. */

/** Where the issuer sends people after sign-in. */
export const SIGNED_IN = "/signed-in";
/** Begins to sign in at once: the page opens it in a window of its own. */
export const SIGN_IN = "/sign-in";
/** The query of `SIGN_IN` with which the issuer asks for the password in any case. */
export const AGAIN = "?again";
/** Where the issuer sends people after sign-out. */
export const SIGNED_OUT = "/";
