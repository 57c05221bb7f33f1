/** The page's own addresses that sign-in uses. The first and the last are known to the issuer. */

/** Where the issuer sends people after sign-in. */
export const SIGNED_IN = "/signed-in";
/** Begins to sign in at once: the page opens it in a window of its own. */
export const SIGN_IN = "/sign-in";
/** Where the issuer sends people after sign-out. */
export const SIGNED_OUT = "/";
